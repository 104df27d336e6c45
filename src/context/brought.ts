import type { Brought, CopyItems, TreeNode } from './types.ts';

/**
 * Files to copy, as what brings them.
 * @param bytes of all together, where they are known already
 */
export function broughtBy(items: CopyItems, bytes = sizesOf(items)): Brought {
  return { bytes, nodes: { [Symbol.iterator]: () => nodesOf(items) } };
}

/** What several lists bring. */
export function together(lists: readonly Brought[]): Brought {
  return {
    bytes: lists.reduce((sum, { bytes }) => sum + bytes, 0),
    nodes: {
      *[Symbol.iterator]() {
        for (const { nodes } of lists) yield* nodes;
      },
    },
  };
}

function sizesOf(items: CopyItems): number {
  let bytes = 0;
  for (const { node } of items) bytes += node.size;
  return bytes;
}

function* nodesOf(items: CopyItems): Generator<TreeNode> {
  for (const { node } of items) yield node;
}
