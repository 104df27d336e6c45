import { AppError } from '../../core/error.ts';
import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { LayerContents } from './contents.ts';
import type { Tree } from './tree.ts';
import { applyAll, createUnion, type Union } from './union.ts';
import { planUnion } from './union-plan.ts';
import { nodeAt, walkTree } from './union-tree.ts';

/** What the layers above some others make of these, found out before the others are read. */
export interface UpperLayers {
  readonly tree: Tree;
  /** Files of the upper layers that no later one of them replaces: they are in the union whatever lies below. */
  readonly contents: readonly LayerContents[];
  /** Whether the upper layers put something else in the place of a lower layer's file, or nothing. */
  hides(path: string): boolean;
  /** Whether a path is a directory of the upper layers. */
  hasDir(path: string): boolean;
  /**
   * Counts the files of `contents` as on disk in the union of all layers.
   * @param below how many layers lie below the upper ones
   * @throws AppError INTERNAL when one of them is not in it
   */
  settle(union: Union, below: number): void;
}

/**
 * Parent directories of an entry are found in its own layer and no entry's effect on upper layers depends on lower ones, so
 * the upper layers can be united alone. A hard link into a lower layer stands for itself meanwhile.
 * @returns undefined for layers that this does not explain; uniting all of them says what is wrong
 */
export function uniteUpper(
  layers: readonly { readonly blob: LayerBlob; readonly toc: Toc }[],
): UpperLayers | undefined {
  /** Paths of whiteouts, and those of leaves that the upper layers take away again. */
  const hidden = new Set<string>();
  const opaque = new Set<string>();
  const union = createUnion({
    partial: true,
    hidden: (path, what) => (what === 'path' ? hidden : opaque).add(path),
    removed: (node) => {
      walkTree(union.tree, node, (gone) => {
        if (!union.tree.isDir(gone)) hidden.add(union.tree.path(gone));
      });
    },
  });
  const { tree } = union;
  try {
    for (const { toc } of layers) applyAll(union, toc.entries);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
  const plan = planUnion(tree, layers.length);
  /** Whether the upper layers have something at a path, or what is no directory on the way to it. */
  const covers = (path: string): boolean => {
    let node = tree.root;
    for (const part of path.split('/')) {
      const child = tree.child(node, part);
      if (child === undefined) return false;
      if (!tree.isDir(child)) return true;
      node = child;
    }
    return true;
  };
  const contents = layers.map(({ blob, toc }, index) => ({ blob, toc, nodes: plan.contents[index]! }));
  return {
    tree,
    contents,
    hasDir: (path) => {
      const node = nodeAt(tree, path);
      return node !== undefined && tree.isDir(node);
    },
    hides: (path) => {
      if (covers(path) || hidden.has(path)) return true;
      let above = path;
      while (above !== '') {
        above = above.slice(0, Math.max(0, above.lastIndexOf('/')));
        if (hidden.has(above) || opaque.has(above)) return true;
      }
      return false;
    },
    settle: ({ tree: whole }, below) => {
      for (const { nodes } of contents) {
        for (const written of nodes) {
          const path = tree.path(written);
          const node = nodeAt(whole, path);
          const same =
            node !== undefined &&
            !whole.isDir(node) &&
            whole.inodeLayer(node) === below + tree.inodeLayer(written) &&
            whole.place(node) === tree.place(written);
          if (!same)
            throw new AppError('INTERNAL', `"${path}" was written before its turn and is not in the union`);
          whole.setDiskMode(node, tree.diskMode(written));
        }
      }
    },
  };
}
