export interface ReadFileOptions {
    /** Most bytes. */
    readonly limit: number;
    /** Directories of which one has to hold the file once all links are followed; anywhere when left out. */
    readonly within?: readonly string[];
}
/**
 * Reads a file of the host. Where it lies is asked of the file that was opened, so no link can be changed in between.
 * @throws Error as node:fs does, with `code` and `path`: EXDEV when it is outside of `within`, EISDIR for a directory,
 * ENOTREG for any other thing that is no regular file, EFBIG for a longer file, and what the kernel says (ENOENT, ENOTDIR,
 * EACCES, ELOOP)
 */
export declare function readRegularFile(path: string, { limit, within }: ReadFileOptions): Buffer;
/**
 * Opens to be read what a descriptor of O_PATH names, when it is a regular file; a driver of a device never sees it.
 * @param path for messages
 * @returns a descriptor of its own
 * @throws Error EISDIR, ENOTREG
 */
export declare function openIfRegular(found: number, path: string): number;
/**
 * Reads an open file from where it stands to its end.
 * @param path for messages
 * @throws Error EFBIG for more than `limit` bytes, of which no more than that many are read
 */
export declare function readToLimit(file: number, limit: number, path: string): Buffer;
