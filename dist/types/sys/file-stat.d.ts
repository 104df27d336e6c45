import type { BigIntStats } from 'node:fs';
/** The kinds of entries of a file system. */
export type FileType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';
/** What lstat(2) found: one of seven kinds. */
export declare function fileType(stat: BigIntStats): FileType;
/** A time in nanoseconds since the epoch as the kernel has it: whole seconds, and a rest that is never negative. */
export declare function splitTime(time: bigint): {
    readonly seconds: bigint;
    readonly nanoseconds: bigint;
};
/** The numbers of a device, out of Linux's encoding in st_rdev (makedev(3)). */
export declare function deviceNumbers(rdev: bigint): {
    readonly major: number;
    readonly minor: number;
};
