import { AppError } from '../../core/error.ts';
import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { LayerContents } from './contents.ts';
import type { Tree } from './tree.ts';
import { createUnion, type Union } from './union.ts';
import { planUnion } from './union-plan.ts';
import { nodeAt } from './union-tree.ts';

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
   * @throws AppError INTERNAL when one of them is not in it
   */
  settle(union: Union): void;
}

/**
 * Parent directories of an entry are found in its own layer and no entry's effect on upper layers depends on lower ones, so
 * the upper layers can be united alone. A hard link into a lower layer stands for itself meanwhile.
 * @returns undefined for layers that this does not explain; uniting all of them says what is wrong
 */
export function uniteUpper(
  layers: readonly { readonly blob: LayerBlob; readonly toc: Toc }[],
): UpperLayers | undefined {
  const hidden = new Set<string>();
  const opaque = new Set<string>();
  const union = createUnion({
    partial: true,
    hidden: (path, what) => (what === 'path' ? hidden : opaque).add(path),
  });
  try {
    for (const { toc } of layers) {
      union.beginLayer(true);
      for (const entry of toc.entries) {
        const leaf = union.apply(entry);
        if (leaf !== undefined) hidden.add(union.tree.path(leaf));
      }
      union.endLayer();
    }
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
  const plan = planUnion(union.tree, layers.length);
  const dirs = new Set(plan.dirs.map(union.tree.path));
  const contents = layers.map(({ blob, toc }, index) => ({ blob, toc, nodes: plan.contents[index]! }));
  return {
    tree: union.tree,
    contents,
    hasDir: (path) => dirs.has(path),
    hides: (path) => {
      if (dirs.has(path) || hidden.has(path)) return true;
      let above = path;
      while (above !== '') {
        above = above.slice(0, Math.max(0, above.lastIndexOf('/')));
        if (hidden.has(above) || opaque.has(above)) return true;
      }
      return false;
    },
    settle: ({ tree }) => {
      for (const { nodes } of contents) {
        for (const written of nodes) {
          const path = union.tree.path(written);
          const node = nodeAt(tree, path);
          if (node === undefined || tree.isDir(node) || tree.entry(node) !== union.tree.entry(written))
            throw new AppError('INTERNAL', `"${path}" was written before its turn and is not in the union`);
          tree.setDiskMode(node, union.tree.diskMode(written));
        }
      }
    },
  };
}
