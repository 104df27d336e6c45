/**
 * Makes a directory and its missing parents inside a root, 0755 and owned as given; existing ones stay as they are, and
 * symlinks are followed inside the root.
 * @param path absolute inside the root
 * @throws AppError BUILD_FAILED when something on the way is not a directory
 */
export declare function makeDirectory(root: string, path: string, owner: {
    readonly uid: number;
    readonly gid: number;
}): void;
