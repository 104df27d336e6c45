import { AppError } from '../../core/error.ts';
import type { TocEntry, TocFrame } from '../../layer/types.ts';
import { NOT_ON_DISK, type TreeNode, walkTree } from './union-tree.ts';

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
      node.inode.names = [];
      leaves.push(node);
    } else dirs.push(node);
  });
  for (const node of leaves) node.inode!.names.push(node);
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
  readonly first: number;
  end: number;
}

/**
 * The frames that hold any content of `nodes`, both in the order of the tar.
 * @throws AppError CORRUPT when the frames do not cover the content, or files overlap
 */
export function framesFor(nodes: readonly TreeNode[], frames: readonly TocFrame[]): FramePlan[] {
  const plans: FramePlan[] = [];
  let at = 0;
  let free = 0;
  for (const [index, node] of nodes.entries()) {
    let offset = contentOffset(node);
    const end = offset + node.inode!.entry.size;
    while (at < frames.length && frames[at]!.tarOffset + frames[at]!.tarLength <= offset) at += 1;
    for (; offset < end; at += 1) {
      const frame = frames[at];
      if (frame === undefined || frame.tarOffset > offset || offset < free) {
        throw new AppError('CORRUPT', `the table of contents has no content for "${node.path}"`);
      }
      const last = plans.at(-1);
      if (last?.frame === frame) last.end = index + 1;
      else plans.push({ frame, first: index, end: index + 1 });
      offset = frame.tarOffset + frame.tarLength;
    }
    free = end;
    if (offset > end) at -= 1;
  }
  return plans;
}
