/** As the kernel's own limit (path_resolution(7)). */
export declare const MOST_LINKS = 40;
/**
 * A path relative to a root with every symlink on the way replaced; none leads out of the root. Undefined for a loop.
 * @param linkAt the target of the symlink at a path, undefined for what is none
 */
export declare function resolveLinks(path: string, linkAt: (path: string) => string | undefined, options: {
    readonly followLast: boolean;
}): string | undefined;
