import type { LayerEntry } from '../../tar/types.ts';
/** The thing that one or more names point to: made by one entry of one layer, never shared across entries. */
export interface Inode {
    readonly entry: LayerEntry;
    /** Index of the layer that holds the content. */
    readonly layer: number;
    /** Every name it was given; once the plan is made, those that are left. */
    names: TreeNode[];
    /** A path below the target where it exists already under none of its names. */
    kept: string | undefined;
}
/** A path of the union. A directory has `children`, everything else an `inode`. */
export interface TreeNode {
    readonly name: string;
    /** Path string relative to the root; '' for the root. */
    readonly path: string;
    readonly parent: TreeNode | undefined;
    /** Index of the topmost layer that has this path, if only as a parent of something. */
    layer: number;
    /** Permission bits on disk, or NOT_ON_DISK. */
    diskMode: number;
    children: Map<string, TreeNode> | undefined;
    readonly inode: Inode | undefined;
    /** The entry that gives a directory its owner, mode and times, and its layer; undefined when no layer has one. */
    meta: LayerEntry | undefined;
    metaLayer: number;
    /** The layer that hid all that lower layers have below a directory, if one did. */
    clearedBy: number;
}
export declare const NOT_ON_DISK = -1;
/** A node that is not linked into its parent yet. Without an inode it is a directory. */
export declare function createNode(parent: TreeNode | undefined, name: string, layer: number, inode?: Inode): TreeNode;
/** Calls `visit` for a node and everything below it, parents first. */
export declare function walkTree(node: TreeNode, visit: (node: TreeNode) => void): void;
/** What a walk along a path does where the next part is missing, and which nodes it sees. */
export interface Steps {
    /** The directory `name` in `dir` to go on from, or undefined to end the walk without a result. */
    readonly missing: (dir: TreeNode, name: string) => TreeNode | undefined;
    /** Whether the walk may see a node; one that it may not see counts as missing. */
    readonly sees: (node: TreeNode) => boolean;
    /** Called for each directory that is passed. */
    readonly pass?: (dir: TreeNode) => void;
}
/**
 * Walks `path` from the root to a directory as a kernel would that is confined to the root: symlinks are followed inside the
 * tree, `..` in their targets ends at the root.
 * @throws AppError CORRUPT for a path with `..` or NUL, a path below a file, or a loop of symlinks
 */
export declare function walkPath(root: TreeNode, path: string, steps: Steps): TreeNode | undefined;
/** @throws AppError CORRUPT for parts that a layer must not name */
export declare function checkedParts(path: string): string[];
