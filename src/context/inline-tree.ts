import { Readable } from 'node:stream';
import { digestOf } from '../core/digest.ts';
import type { SourceTree, TreeNode } from './types.ts';

/** A tree of one file, 0644 and as old as time itself: what a heredoc of COPY or ADD is. */
export function createInlineTree(name: string, content: Buffer): SourceTree {
  const node: TreeNode = {
    path: name,
    type: 'file',
    mode: 0o644,
    uid: 0,
    gid: 0,
    size: content.length,
    mtime: 0,
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
