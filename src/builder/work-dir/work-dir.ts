import { chmodSync, mkdirSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toAppError } from '../../core/error.ts';
import { makeDirectories } from '../../core/make-directories.ts';
import { removeTree } from '../../sys/remove-tree.ts';
import type { Syscalls } from '../../sys/types.ts';
import { anyDeadBuild, LOCK, removeDeadBuilds, secretsDir, takeDownMounts } from './dead-builds.ts';
import { createFileLocks } from './file-locks.ts';

/** A directory that belongs to one build, and how to be rid of it. */
export interface WorkDir {
  readonly path: string;
  /**
   * Deletes the secrets and, as far as that is quick, the directory; the rest is left to `sweep`.
   * @throws AppError OUTPUT when it cannot be deleted, and nobody else will
   */
  close(): void;
}

export interface WorkDirDeps {
  readonly syscalls: () => Pick<Syscalls, 'tryLock' | 'umount' | 'spreadDirectories'>;
  /**
   * Has another process delete what builds that have ended left in a directory, and gives its number; undefined when there
   * is none. Left out, all is deleted here.
   */
  readonly sweep?: (parent: string) => number | undefined;
  /** Milliseconds that deletion may take before it is handed over. */
  readonly patience?: number;
}

/** On a disk that is not busy a gigabyte is deleted in less, and then no process is started that the next build would meet. */
const PATIENCE_MS = 500;

/**
 * Makes a working directory below `parent`, and has what builds that were killed left there deleted.
 * @throws AppError OUTPUT when `parent` cannot be written
 */
export function createWorkDir(parent: string, deps: WorkDirDeps): WorkDir {
  const { syscalls, patience = PATIENCE_MS } = deps;
  const sweep = (home: string): void => {
    if (deps.sweep?.(home) === undefined) removeDeadBuilds(home, syscalls);
  };
  try {
    makeDirectories(parent, 0o700);
    const home = realpathSync(parent);
    if (anyDeadBuild(home, syscalls)) sweep(home);
    const { path, release } = lockNewName(home, deps);
    mkdirSync(path, { mode: 0o700 });
    // Below a directory with the set-gid bit it has that as well, and so would all that is made in it, layers included.
    chmodSync(path, 0o700);
    // ext4 makes a file slowly where many were deleted in the last minutes, as by the build before; the place goes by the name.
    syscalls().spreadDirectories(path);
    return { path, close: () => close(path, release) };
  } catch (error) {
    throw toAppError(error, 'OUTPUT', `cannot make a working directory in ${parent}`, {
      where: { path: parent },
      hint: 'name another one with --work-dir',
    });
  }

  function close(path: string, release: () => void): void {
    try {
      removeTree(secretsDir(path));
      if (!takeDownMounts(path, syscalls)) throw new Error('something is still mounted in it');
      if (!deps.sweep) removeTree(path);
      else if (!isGoneWithin(path, patience)) return handOver(path, release);
      rmSync(path + LOCK, { force: true });
      release();
    } catch (error) {
      throw toAppError(error, 'OUTPUT', `cannot remove the working directory ${path}`);
    }
  }

  /** Whoever sweeps takes the lock, so ours has to go first. */
  function handOver(path: string, release: () => void): void {
    release();
    sweep(dirname(path));
  }
}

/** Another process that sweeps may take a lock before we do; then the name is its to delete. */
function lockNewName(
  home: string,
  { syscalls }: WorkDirDeps,
): { readonly path: string; readonly release: () => void } {
  const locks = createFileLocks(syscalls);
  for (;;) {
    const path = join(home, `build-${process.pid}-${process.hrtime.bigint().toString(36)}`);
    const release = locks.tryAcquire(path + LOCK);
    if (release) return { path, release };
  }
}

function isGoneWithin(path: string, patience: number): boolean {
  try {
    return removeTree(path, { until: performance.now() + patience });
  } catch {
    // Whatever it is, whoever takes over sees it too.
    return false;
  }
}
