import { Readable } from 'node:stream';
import { digestOf } from '../core/digest.ts';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import type { SourceTree, TreeNode } from './types.ts';

/**
 * A tree of one file, 0644: what a heredoc of COPY or ADD is.
 * @param mtime seconds since the epoch; Docker gives such files the time of the build
 */
export function createInlineTree(name: string, content: Buffer, mtime: number): SourceTree {
  const node: TreeNode = { ...EMPTY_FILE, path: name, size: content.length, mtime };
  return {
    name: 'a heredoc',
    list: async (path) => (path === name ? [node] : []),
    stat: async (path) => (path === name ? node : undefined),
    open: () => Readable.from([content], { objectMode: false }),
    contentDigest: async () => digestOf(content),
  };
}

/** A tree without files, for those who do not look into one. */
export const EMPTY_TREE: SourceTree = {
  name: 'an empty tree',
  list: async () => [],
  stat: async () => undefined,
  open: () => Readable.from([]),
  contentDigest: async () => digestOf(''),
};
