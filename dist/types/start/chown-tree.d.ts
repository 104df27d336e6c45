/**
 * Gives a tree to a user. Only entries that belong to somebody else are touched; symlinks are changed themselves and never
 * followed, and what is mounted below `root` is left alone.
 * @returns how many entries were changed; a missing `root` is none
 */
export declare function chownTree(root: string, { uid, gid }: {
    readonly uid: number;
    readonly gid: number;
}, mountPoints?: ReadonlySet<string>): Promise<number>;
