import type { TocEntry, TocFrame } from '../../layer/types.ts';
import { NOT_ON_DISK, type Node, type Tree } from './tree.ts';
import { walkTree } from './union-tree.ts';

/** What is to be made of a union. */
export interface UnionPlan {
  /** All directories, parents first. */
  readonly dirs: readonly Node[];
  /** Everything else. */
  readonly leaves: readonly Node[];
  /** By layer: the files whose content is not on disk yet, one name for each, by their place in the layer. */
  readonly contents: readonly (readonly Node[])[];
}

/** Collects what is left in a union, and gives each inode the names that are left. */
export function planUnion(tree: Tree, layers: number): UnionPlan {
  const dirs: Node[] = [];
  const leaves: Node[] = [];
  walkTree(tree, tree.root, (node) => {
    if (tree.isDir(node)) dirs.push(node);
    else {
      tree.clearNames(tree.inode(node));
      leaves.push(node);
    }
  });
  for (const node of leaves) tree.addName(node);
  const contents: Node[][] = Array.from({ length: layers }, () => []);
  const onDisk = (name: Node): boolean => tree.diskMode(name) !== NOT_ON_DISK;
  for (const node of leaves) {
    const inode = tree.inode(node);
    if (tree.type(node) !== 'file' || tree.kept(inode) !== undefined || tree.firstName(inode) !== node)
      continue;
    if (tree.findLastName(inode, onDisk) === undefined && tree.entry(node).size > 0)
      contents[tree.inodeLayer(node)]!.push(node);
  }
  for (const nodes of contents) nodes.sort((a, b) => contentOffset(tree, a) - contentOffset(tree, b));
  return { dirs, leaves, contents };
}

/** Offset of a file's content in the tar of its layer; only where the layer has a table of contents. */
export function contentOffset(tree: Tree, node: Node): number {
  return (tree.entry(node) as TocEntry).contentOffset ?? 0;
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
  tree: Tree,
  nodes: readonly Node[],
  frames: readonly TocFrame[],
  all: boolean,
): FramePlan[] {
  const plans: FramePlan[] = [];
  let first = 0;
  for (const [index, frame] of frames.entries()) {
    while (first < nodes.length && contentEnd(tree, nodes[first]!) <= frame.tarOffset) first += 1;
    let end = first;
    while (end < nodes.length && contentOffset(tree, nodes[end]!) < frame.tarOffset + frame.tarLength)
      end += 1;
    if (all || end > first) plans.push({ frame, index, first, end });
  }
  return plans;
}

function contentEnd(tree: Tree, node: Node): number {
  return contentOffset(tree, node) + tree.entry(node).size;
}
