import type { TocFrame } from '../../layer/types.ts';
import { type TreeNode } from './union-tree.ts';
/** What is to be made of a union. */
export interface UnionPlan {
    /** All directories, parents first. */
    readonly dirs: readonly TreeNode[];
    /** Everything else. */
    readonly leaves: readonly TreeNode[];
    /** By layer: the files whose content is not on disk yet, one name for each, by their place in the layer. */
    readonly contents: readonly (readonly TreeNode[])[];
}
/** Collects what is left in a union, and gives each inode the names that are left. */
export declare function planUnion(root: TreeNode, layers: number): UnionPlan;
/** Offset of a file's content in the tar of its layer; only where the layer has a table of contents. */
export declare function contentOffset(node: TreeNode): number;
/** A frame with the files that have content in it: `nodes[first]` up to, but not including, `nodes[end]`. */
export interface FramePlan {
    readonly frame: TocFrame;
    readonly first: number;
    end: number;
}
/**
 * The frames that hold any content of `nodes`, both in the order of the tar.
 * @throws AppError CORRUPT when the frames do not cover the content, or files overlap
 */
export declare function framesFor(nodes: readonly TreeNode[], frames: readonly TocFrame[]): FramePlan[];
