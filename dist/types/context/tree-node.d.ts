import { type PathFacts } from '../sys/path-facts.ts';
import { type HashMemo } from './file-hash-memo.ts';
import type { TreeNode } from './types.ts';
export interface NodeOptions {
    /** Host directory; it is only read. */
    readonly root: string;
    readonly memo?: HashMemo;
    /** Reads the extended attributes that a copy keeps. */
    readonly xattrs?: (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
}
/**
 * A function that makes a path with its facts a node of a tree; undefined for a socket.
 * @throws what node:fs throws where a link or attributes cannot be read
 */
export declare function createNodes({ root, memo, xattrs, }: NodeOptions): (path: string, facts: PathFacts) => TreeNode | undefined;
