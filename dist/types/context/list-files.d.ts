import type { Listed } from './tree-state.ts';
/** The names of a listing with their indexes: the memo of hashes is read in the order in which it was written. */
export declare function sortedNames(names: Buffer): [string, number][];
/** What listDirectory gives, by node:fs. @param fd of the directory, which it closes */
export declare function listByNode(fd: number): Listed;
