import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { toAppError } from '../core/error.ts';
import { MNT_DETACH } from '../sys/constants.ts';
import { readMountTable } from '../sys/mount-table.ts';
import type { Syscalls } from '../sys/types.ts';
import { createFileLocks } from './file-locks.ts';

/** A directory that belongs to one build, and how to be rid of it. */
export interface WorkDir {
  readonly path: string;
  close(): void;
}

const LOCK = '.lock';
const NAME = /^build-[0-9a-z]+-[0-9a-z]+$/;

/** Where a build's secrets lie while a RUN may read them: in memory, where the machine has a tmpfs for that. */
export function secretsDir(workDir: string): string {
  return join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `envbuilder-${basename(workDir)}`);
}

/**
 * Makes a working directory below `parent`. What builds that were killed left there goes first: a build holds the lock
 * beside its directory for as long as it lives, whatever its process number is and wherever that was counted.
 * @throws AppError OUTPUT when `parent` cannot be written
 */
export function createWorkDir(parent: string, syscalls: () => Pick<Syscalls, 'tryLock' | 'umount'>): WorkDir {
  const locks = createFileLocks(syscalls);
  try {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    removeDeadBuilds(parent, locks, syscalls);
    const path = join(parent, `build-${process.pid}-${process.hrtime.bigint().toString(36)}`);
    const release = locks.tryAcquire(path + LOCK);
    mkdirSync(path, { mode: 0o700 });
    return {
      path,
      close: () => {
        rmSync(path, { recursive: true, force: true });
        rmSync(secretsDir(path), { recursive: true, force: true });
        rmSync(path + LOCK, { force: true });
        release?.();
      },
    };
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot make a working directory in ${parent}`, {
      where: { path: parent },
      hint: 'name another one with --work-dir',
    });
  }
}

function removeDeadBuilds(
  parent: string,
  locks: ReturnType<typeof createFileLocks>,
  syscalls: () => Pick<Syscalls, 'umount'>,
): void {
  for (const file of readdirSync(parent)) {
    const name = file.endsWith(LOCK) ? file.slice(0, -LOCK.length) : '';
    if (!NAME.test(name)) continue;
    const path = join(parent, name);
    const release = locks.tryAcquire(path + LOCK);
    if (!release) continue;
    const mounted = mountsBelow(path);
    for (const target of mounted.toReversed()) syscalls().umount(target, MNT_DETACH);
    // Nothing is deleted through a mount: what could not be taken down stays for the next build to try.
    if (mountsBelow(path).length === 0) {
      rmSync(path, { recursive: true, force: true });
      rmSync(secretsDir(path), { recursive: true, force: true });
      rmSync(path + LOCK, { force: true });
    }
    release();
  }
}

/** Mount points in a directory, in the order in which they were mounted. */
function mountsBelow(directory: string): string[] {
  return readMountTable()
    .map(({ mountPoint }) => mountPoint)
    .filter((target) => target.startsWith(`${directory}/`));
}
