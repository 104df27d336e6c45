import type { TocEntry, TocFrame } from '../../layer/types.ts';
import { addName, NO_NAMES, NOT_ON_DISK, type TreeNode, walkTree } from './union-tree.ts';

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
export function planUnion(root: TreeNode, layers: number): UnionPlan {
  const dirs: TreeNode[] = [];
  const leaves: TreeNode[] = [];
  walkTree(root, (node) => {
    if (node.inode) {
      node.inode.names = NO_NAMES;
      leaves.push(node);
    } else dirs.push(node);
  });
  for (const node of leaves) addName(node.inode!, node);
  const contents: TreeNode[][] = Array.from({ length: layers }, () => []);
  for (const node of leaves) {
    const { entry, names, layer, kept } = node.inode!;
    if (entry.type !== 'file' || entry.size === 0 || kept !== undefined || names[0] !== node) continue;
    if (names.every((name) => name.diskMode === NOT_ON_DISK)) contents[layer]!.push(node);
  }
  for (const nodes of contents) nodes.sort((a, b) => contentOffset(a) - contentOffset(b));
  return { dirs, leaves, contents };
}

/** Offset of a file's content in the tar of its layer; only where the layer has a table of contents. */
export function contentOffset(node: TreeNode): number {
  return (node.inode!.entry as TocEntry).contentOffset ?? 0;
}

/** A frame with the files that have content in it: `nodes[first]` up to, but not including, `nodes[end]`. */
export interface FramePlan {
  readonly frame: TocFrame;
  /** Which frame of the layer it is. */
  readonly index: number;
  readonly first: number;
  readonly end: number;
}

/**
 * The frames that hold any content of `nodes`, both in the order of the tar.
 * @param all the other frames as well
 */
export function framesFor(
  nodes: readonly TreeNode[],
  frames: readonly TocFrame[],
  all: boolean,
): FramePlan[] {
  const plans: FramePlan[] = [];
  let first = 0;
  for (const [index, frame] of frames.entries()) {
    while (first < nodes.length && contentEnd(nodes[first]!) <= frame.tarOffset) first += 1;
    let end = first;
    while (end < nodes.length && contentOffset(nodes[end]!) < frame.tarOffset + frame.tarLength) end += 1;
    if (all || end > first) plans.push({ frame, index, first, end });
  }
  return plans;
}

function contentEnd(node: TreeNode): number {
  return contentOffset(node) + node.inode!.entry.size;
}
