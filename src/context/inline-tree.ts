import { Readable } from 'node:stream';
import { digestOf } from '../core/digest.ts';
import type { SourceTree, TreeNode } from './types.ts';

/**
 * A tree of one file, 0644: what a heredoc of COPY or ADD is.
 * @param mtime seconds since the epoch; Docker gives such files the time of the build
 */
export function createInlineTree(name: string, content: Buffer, mtime: number): SourceTree {
  const node: TreeNode = {
    path: name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime,
    mtimeNsec: 0,
    linkname: '',
    devmajor: 0,
    devminor: 0,
  };
  return {
    name: 'a heredoc',
    list: async (path) => (path === name ? [node] : []),
    stat: async (path) => (path === name ? node : undefined),
    open: () => Readable.from([content], { objectMode: false }),
    contentDigest: async () => digestOf(content),
  };
}
