import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { once } from '../core/concurrency.ts';
import { AppError } from '../core/error.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import type { Syscalls } from '../sys/types.ts';

/**
 * Keeps a garbage collection and those who store content in a directory apart, across processes. Work under the lock is
 * synchronous and short, so nobody waits for long, and the kernel ends the lock of a process that is killed.
 */
export interface DirectoryLock {
  /**
   * While content becomes part of the directory, or somebody is told that it is there.
   * @param work is given the mark of the last collection that has begun, another number than that of any before it;
   * undefined where nothing can be locked
   */
  shared<T>(work: (collection: number | undefined) => T): Promise<T>;
  /** While content is removed. @throws AppError CACHE_DIR where the file system has no locks */
  exclusive<T>(work: () => T): Promise<T>;
  /**
   * Says that a collection begins: whoever has marked something as used before has to mark it again. To be called before
   * it is decided what is old. Where nothing can be locked it does nothing: nothing can be removed there either.
   * @throws AppError CACHE_DIR when another process holds the lock for too long
   */
  beginCollection(): Promise<void>;
}

const LOCK_FILE = '.envbuilder.lock';
/** A link in its place, or a pipe, locks nothing. */
const OPEN_LOCK =
  fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
const RETRY_MS = 4;
const PATIENCE_MS = 60_000;
/** Errors that mean: nothing can be removed here either, or the file system has no locks. */
const UNLOCKABLE = [
  'EROFS',
  'EACCES',
  'EPERM',
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EISDIR',
  'ENXIO',
  'ENOLCK',
  'ENOSYS',
  'EOPNOTSUPP',
];

/**
 * @param root made when a lock is first taken in it; where it cannot be written, `shared` works without a lock
 */
export function createDirectoryLock(
  root: string,
  syscalls: () => Pick<Syscalls, 'tryLock'> = once(createSyscalls),
): DirectoryLock {
  const path = join(root, LOCK_FILE);
  const attempt = (mode: 'shared' | 'exclusive'): number | 'busy' | 'unlockable' => {
    let fd: number | undefined;
    try {
      fd = fs.openSync(path, OPEN_LOCK, 0o666);
      if (syscalls().tryLock(fd, mode)) return fd;
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      if (UNLOCKABLE.includes((error as NodeJS.ErrnoException).code ?? '')) return 'unlockable';
      throw error;
    }
    fs.closeSync(fd);
    return 'busy';
  };
  const locked = async <T>(
    mode: 'shared' | 'exclusive' | 'begin',
    work: (collection: number | undefined, fd: number | undefined) => T,
  ): Promise<T> => {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      const fd = attempt(mode === 'shared' ? 'shared' : 'exclusive');
      if (typeof fd === 'number') {
        try {
          return work(fs.fstatSync(fd).mtimeMs, fd);
        } finally {
          fs.closeSync(fd);
        }
      }
      if (fd === 'unlockable') {
        if (mode !== 'exclusive') return work(undefined, undefined);
        throw new AppError('CACHE_DIR', `${root} cannot be locked`, {
          hint: 'collect garbage on the machine that holds the directory, with the right to write to it',
          where: { path },
        });
      }
      if (performance.now() > end) {
        throw new AppError('CACHE_DIR', `${root} is locked by another process for more than a minute`, {
          hint: 'see who holds it with `lslocks`',
          where: { path },
        });
      }
      await sleep(RETRY_MS * (0.5 + Math.random()));
    }
  };
  return {
    shared: (work) => locked('shared', work),
    exclusive: (work) => locked('exclusive', work),
    // The file's time is the mark: everybody who takes the lock has it at hand.
    beginCollection: () =>
      locked('begin', (last = 0, fd) => {
        if (fd === undefined) return;
        const mark = new Date(Math.max(Date.now(), Math.floor(last) + 1));
        fs.futimesSync(fd, mark, mark);
      }),
  };
}
