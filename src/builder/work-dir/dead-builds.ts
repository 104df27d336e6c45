import { existsSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { MNT_DETACH } from '../../sys/constants.ts';
import { readMountTable } from '../../sys/mount-table.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';
import { createFileLocks } from './file-locks.ts';

/** Beside the directory of a build, which holds the lock on it for as long as it lives. */
export const LOCK = '.lock';
const NAME = /^build-[0-9a-z]+-[0-9a-z]+$/;

/** Where a build's secrets lie while a RUN may read them: in memory, where the machine has a tmpfs for that. */
export function secretsDir(workDir: string): string {
  return join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), `envbuilder-${basename(workDir)}`);
}

/**
 * Deletes what builds that have ended left in a directory, whatever their process number was and wherever that was
 * counted. Whatever cannot be deleted stays for the next one who tries.
 */
export function removeDeadBuilds(parent: string, syscalls: () => Pick<Syscalls, 'tryLock' | 'umount'>): void {
  for (const { path, release } of deadBuilds(parent, syscalls)) {
    try {
      if (!takeDownMounts(path, syscalls)) continue;
      removeTree(path);
      rmSync(path + LOCK, { force: true });
    } catch {
      // Somebody else's remains are no reason to fail.
    } finally {
      release();
    }
  }
}

/** Whether builds that have ended left anything in a directory; their secrets are deleted at once. */
export function anyDeadBuild(parent: string, syscalls: () => Pick<Syscalls, 'tryLock'>): boolean {
  let found = false;
  for (const { release } of deadBuilds(parent, syscalls)) {
    found = true;
    release();
  }
  return found;
}

/**
 * Takes down what is mounted in a directory.
 * @param directory without symlinks in its path
 * @returns whether nothing is mounted there any more; nothing may be deleted through a mount
 */
export function takeDownMounts(directory: string, syscalls: () => Pick<Syscalls, 'umount'>): boolean {
  const mounted = mountsIn(directory);
  for (const target of mounted.toReversed()) syscalls().umount(target, MNT_DETACH);
  return mounted.length === 0 || mountsIn(directory).length === 0;
}

/** Directories of builds that have ended, locked, and without their secrets. */
function* deadBuilds(
  parent: string,
  syscalls: () => Pick<Syscalls, 'tryLock'>,
): Generator<{ readonly path: string; readonly release: () => void }> {
  const locks = createFileLocks(syscalls);
  const home = realpathSync(parent);
  for (const file of readdirSync(home)) {
    const name = file.endsWith(LOCK) ? file.slice(0, -LOCK.length) : '';
    if (!NAME.test(name)) continue;
    const path = join(home, name);
    const release = locks.tryAcquire(path + LOCK, 'if there');
    if (!release) continue;
    removeTree(secretsDir(path));
    yield { path, release };
  }
}

/** Mount points at and in a directory, in the order in which they were mounted. */
function mountsIn(directory: string): string[] {
  return readMountTable()
    .map(({ mountPoint }) => mountPoint)
    .filter((target) => target === directory || target.startsWith(`${directory}/`));
}
