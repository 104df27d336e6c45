/**
 * Checks that a directory can be the root of CNCF Distribution's layout: absent, empty or laid out so. Nothing is written.
 * @throws AppError CACHE_DIR, with a hint that names a way out
 */
export declare function checkDirectory(root: string): void;
/** An error of the file system as one about the cache directory; a full disk and AppErrors stay what they are. */
export declare function directoryError(thrown: unknown, root: string): unknown;
