import type { TocFrame } from '../../layer/types.ts';
import { NOT_ON_DISK, type Node, type Tree } from './tree.ts';
import { walkTree } from './union-tree.ts';

/** What is to be made of a union. */
export interface UnionPlan {
  /** All directories, parents first. */
  readonly dirs: Nodes;
  /** Everything else. */
  readonly leaves: Nodes;
  /** By layer: the files whose content is not on disk yet, one name for each, by their place in the layer. */
  readonly contents: readonly Nodes[];
}

/** Nodes, outside the heap: there may be a million. */
export type Nodes = Uint32Array;

/** Collects what is left in a union, and gives each inode the names that are left. */
export function planUnion(tree: Tree, layers: number): UnionPlan {
  let all = 0;
  let dirCount = 0;
  walkTree(tree, tree.root, (node) => {
    all += 1;
    if (tree.isDir(node)) dirCount += 1;
    else tree.clearNames(tree.inode(node));
  });
  const dirs = new Uint32Array(dirCount);
  const leaves = new Uint32Array(all - dirCount);
  let [dirsEnd, leavesEnd] = [0, 0];
  walkTree(tree, tree.root, (node) => {
    if (tree.isDir(node)) dirs[dirsEnd++] = node;
    else leaves[leavesEnd++] = node;
  });
  for (const node of leaves) tree.addName(node);
  const onDisk = (name: Node): boolean => tree.diskMode(name) !== NOT_ON_DISK;
  const isMissing = (node: Node): boolean => {
    const inode = tree.inode(node);
    if (tree.type(node) !== 'file' || tree.kept(inode) !== undefined || tree.firstName(inode) !== node)
      return false;
    return tree.findLastName(inode, onDisk) === undefined && tree.size(node) > 0;
  };
  const counts = new Uint32Array(layers);
  for (const node of leaves) if (isMissing(node)) counts[tree.inodeLayer(node)]! += 1;
  const contents = Array.from(counts, (count) => new Uint32Array(count));
  for (const node of leaves) {
    if (!isMissing(node)) continue;
    const layer = tree.inodeLayer(node);
    counts[layer]! -= 1;
    contents[layer]![counts[layer]!] = node;
  }
  for (const nodes of contents) nodes.sort((a, b) => (tree.place(a) ?? 0) - (tree.place(b) ?? 0));
  return { dirs, leaves, contents };
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
export function framesFor(tree: Tree, nodes: Nodes, frames: readonly TocFrame[], all: boolean): FramePlan[] {
  const plans: FramePlan[] = [];
  let first = 0;
  for (const [index, frame] of frames.entries()) {
    while (first < nodes.length && contentEnd(tree, nodes[first]!) <= frame.tarOffset) first += 1;
    let end = first;
    while (end < nodes.length && tree.contentOffset(nodes[end]!) < frame.tarOffset + frame.tarLength)
      end += 1;
    if (all || end > first) plans.push({ frame, index, first, end });
  }
  return plans;
}

function contentEnd(tree: Tree, node: Node): number {
  return tree.contentOffset(node) + tree.size(node);
}
