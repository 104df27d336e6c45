import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Syscalls } from '../sys/types.ts';

/** Between two attempts at a lock that another process holds, in milliseconds. */
const RETRY_MS = 100;

/** Locks by file, held against other processes and other holders in this one; the kernel ends them with the process. */
export interface FileLocks {
  /** Waits for the lock; the result releases it. */
  acquire(path: string, signal: AbortSignal): Promise<() => void>;
  /** Takes the lock if nobody holds it. */
  tryAcquire(path: string): (() => void) | undefined;
}

/** @param syscalls loaded when the first lock is taken */
export function createFileLocks(syscalls: () => Pick<Syscalls, 'tryLock'>): FileLocks {
  const tryAcquire = (path: string): (() => void) | undefined => {
    const fd = openSync(path, 'a', 0o600);
    if (syscalls().tryLock(fd)) return () => closeSync(fd);
    closeSync(fd);
    return undefined;
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
