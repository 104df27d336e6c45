import type { Syscalls } from '../sys/types.ts';
/**
 * Keeps a garbage collection and those who store content in a directory apart, across processes. Work under the lock is
 * synchronous and short, so nobody waits for long, and the kernel ends the lock of a process that is killed.
 */
export interface DirectoryLock {
    /** While content becomes part of the directory, or somebody is told that it is there. */
    shared<T>(work: () => T): Promise<T>;
    /** While content is removed. @throws AppError CACHE_DIR where the file system has no locks */
    exclusive<T>(work: () => T): Promise<T>;
}
/**
 * @param root made when a lock is first taken in it; where it cannot be written, `shared` works without a lock
 */
export declare function createDirectoryLock(root: string, syscalls?: () => Pick<Syscalls, 'tryLock'>): DirectoryLock;
