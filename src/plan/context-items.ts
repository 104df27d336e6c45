import { treeHash } from '../context/tree-hash.ts';
import type { CopyItem, SourceTree, TreeNode } from '../context/types.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';

/**
 * All of a path of a tree as items relative to it: a file is one item with the target ''.
 * @throws AppError CONTEXT when the path does not exist
 */
export async function contextItems(tree: SourceTree, path: string): Promise<CopyItem[]> {
  const start = path.replace(/^\/+|\/+$/g, '').replace(/^\.$/, '');
  const root = await tree.stat(start);
  if (!root)
    throw new AppError('CONTEXT', `"${path}" is not in ${tree.name}`, {
      hint: 'check the path and .dockerignore',
    });
  const nodes = await tree.list(root.path);
  const prefix = root.path === '' ? 0 : root.path.length + 1;
  return nodes.map((node) => ({
    node,
    target: node.path === root.path ? '' : node.path.slice(prefix),
    source: 0,
  }));
}

/** The hash that stands for files of a tree in a key: owners do not count, since COPY and ADD set them. */
export function hashItems(
  tree: SourceTree,
  items: readonly CopyItem[],
  destination?: string,
): Promise<Digest> {
  const contentDigest = (node: TreeNode): Promise<Digest> => tree.contentDigest(node);
  return treeHash(items, {
    ownership: false,
    contentDigest,
    ...(destination === undefined ? {} : { destination }),
  });
}
