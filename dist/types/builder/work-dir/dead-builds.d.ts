import type { Syscalls } from '../../sys/types.ts';
/** Beside the directory of a build, which holds the lock on it for as long as it lives. */
export declare const LOCK = ".lock";
/** Where a build's secrets lie while a RUN may read them: in memory, where the machine has a tmpfs for that. */
export declare function secretsDir(workDir: string): string;
/**
 * Deletes what builds that have ended left in a directory, whatever their process number was and wherever that was
 * counted. Whatever cannot be deleted stays for the next one who tries.
 */
export declare function removeDeadBuilds(parent: string, syscalls: () => Pick<Syscalls, 'tryLock' | 'umount'>): void;
/** Whether builds that have ended left anything in a directory; their secrets are deleted at once. */
export declare function anyDeadBuild(parent: string, syscalls: () => Pick<Syscalls, 'tryLock'>): boolean;
/**
 * Takes down what is mounted in a directory.
 * @param directory without symlinks in its path
 * @returns whether nothing is mounted there any more; nothing may be deleted through a mount
 */
export declare function takeDownMounts(directory: string, syscalls: () => Pick<Syscalls, 'umount'>): boolean;
