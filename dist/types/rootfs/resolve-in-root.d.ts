/**
 * The host path of a path inside a root, with every symlink on the way resolved inside the root too, as a process with
 * that root would see it. Parts that do not exist, or cannot since a file is above them, stay as they are.
 * @param options.followLast whether a symlink in the last place is resolved as well
 * @throws AppError BUILD_FAILED for a loop of symlinks
 */
export declare function resolveInRoot(root: string, path: string, options: {
    readonly followLast: boolean;
}): string;
