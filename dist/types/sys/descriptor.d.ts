/** Of open(2); node:fs does not name it. */
export declare const O_PATH = 2097152;
declare const REASONS: {
    readonly EXDEV: 'it leads out of the directory that it has to stay in';
    readonly ELOOP: 'there are too many links, or one where none may be';
    readonly EINVAL: 'this path names no entry';
    readonly ENAMETOOLONG: 'the path is too long';
    readonly ENOTDIR: 'a part of the path is not a directory';
    readonly EEXIST: 'it exists already';
    readonly EISDIR: 'it is a directory, not a file';
    readonly ENOTREG: 'it is not a regular file';
    readonly EFBIG: 'it is too large';
};
/** An error as node:fs throws it, with a reason in words. */
export declare function pathError(code: keyof typeof REASONS, path: string, reason?: string): NodeJS.ErrnoException;
/** Where something is that was opened, as the kernel has it now. */
export declare function pathOfFd(fd: number): string;
export {};
