import type { Listed } from './tree-state.ts';
/** The names of a listing with their indexes: the memo of hashes is read in the order in which it was written. */
export declare function sortedNames(names: Buffer): [string, number][];
/** What listDirectory gives, by node:fs. */
export declare function listByNode(directory: string): Listed;
