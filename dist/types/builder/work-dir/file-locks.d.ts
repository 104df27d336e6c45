import type { Syscalls } from '../../sys/types.ts';
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
export declare function createFileLocks(syscalls: () => Pick<Syscalls, 'tryLock'>): FileLocks;
