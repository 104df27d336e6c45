import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Syscalls } from '../../sys/types.ts';

/** Between two attempts at a lock that another process holds, in milliseconds. */
const RETRY_MS = 100;

/** Locks by file, held against other processes and other holders in this one; the kernel ends them with the process. */
export interface FileLocks {
  /** Waits for the lock; the result releases it. */
  acquire(path: string, signal: AbortSignal): Promise<() => void>;
  /**
   * Takes the lock if nobody holds it. The file may be deleted by whoever holds its lock, and by nobody else.
   * @param ifThere takes no lock where the file does not exist, instead of making it
   */
  tryAcquire(path: string, ifThere?: 'if there'): (() => void) | undefined;
}

/** @param syscalls loaded when the first lock is taken */
export function createFileLocks(syscalls: () => Pick<Syscalls, 'tryLock'>): FileLocks {
  const tryAcquire: FileLocks['tryAcquire'] = (path, ifThere) => {
    for (;;) {
      const fd = openLock(path, ifThere !== undefined);
      if (fd === undefined) return undefined;
      let ours = false;
      try {
        if (!syscalls().tryLock(fd)) return undefined;
        // Whoever held the lock may have deleted the file since it was opened.
        ours = statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino;
        if (ours) return () => closeSync(fd);
      } finally {
        if (!ours) closeSync(fd);
      }
    }
  };
  return {
    tryAcquire,
    acquire: async (path, signal) => {
      for (;;) {
        const release = tryAcquire(path);
        if (release) return release;
        await sleep(RETRY_MS, undefined, { signal });
      }
    },
  };
}

function openLock(path: string, ifThere: boolean): number | undefined {
  try {
    return openSync(path, ifThere ? 'r+' : 'a', 0o600);
  } catch (error) {
    if (ifThere && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
