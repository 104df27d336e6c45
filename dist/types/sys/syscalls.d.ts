import type { Syscalls } from './types.ts';
/**
 * The system calls that Node lacks, through libc. Each throws as node:fs does, with `code`, `errno`, `syscall`, `path`.
 * Loaded by whoever calls this, which costs about 15 ms.
 */
export declare function createSyscalls(): Syscalls;
/** An error as node:fs throws it. */
export declare function systemError(errno: number, syscall: string, path: string): NodeJS.ErrnoException;
