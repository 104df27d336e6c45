import type { BigIntStats } from 'node:fs';
/** Where a fact begins in a row. `dev` and `rdev` are twelve bits of a major and twenty of a minor number. */
export declare const FACT: {
    readonly mode: 0;
    readonly nlink: 1;
    readonly uid: 2;
    readonly gid: 3;
    readonly rdev: 4;
    readonly dev: 5;
    readonly ino: 6;
    readonly size: 8;
    readonly mtime: 10;
    readonly ctime: 13;
    readonly birth: 16;
};
/** Words of a row. */
export declare const FACT_WORDS = 19;
/** One row. */
export type PathFacts = Uint32Array;
/** What node:fs says of a path, as a row. */
export declare function factsOf(stat: BigIntStats): PathFacts;
/** The row at an index of many. */
export declare function rowAt(rows: Uint32Array, index: number): PathFacts;
/** Whether the row at an index is of a directory. */
export declare function isDirectoryAt(rows: Uint32Array, index: number): boolean;
/** Whether facts are of a directory. */
export declare function isDirectory(facts: PathFacts): boolean;
/** Whether facts are of a regular file. */
export declare function isFile(facts: PathFacts): boolean;
/** Whether facts are of a symlink. */
export declare function isSymlink(facts: PathFacts): boolean;
/** Whether facts are of a socket, which no layer holds. */
export declare function isSocket(facts: PathFacts): boolean;
/** Size in bytes. */
export declare function sizeOf(facts: PathFacts): number;
/** Whether some facts in a row are equal in both: `words` of them from `fact` on. */
export declare function sameWords(a: PathFacts, b: PathFacts, fact: number, words: number): boolean;
/** The number of the inode. */
export declare function inodeNumber(facts: PathFacts): bigint;
/** Names the inode, as long as it exists. */
export declare function inodeOf(facts: PathFacts): string;
/** The same file and not a later one: inode numbers are used again, times of birth are not. */
export declare function sameInode(a: PathFacts, b: PathFacts): boolean;
/** Writes a time in nanoseconds since the epoch into a row. */
export declare function setTime(facts: PathFacts, fact: 'ctime' | 'mtime' | 'birth', time: bigint): void;
/** The whole seconds of a time of a row since the epoch. */
export declare function secondsOf(facts: PathFacts, fact: 'ctime' | 'mtime'): number;
/** A time of a row in nanoseconds since the epoch. */
export declare function timeOf(facts: PathFacts, fact: 'ctime' | 'mtime'): bigint;
/** Calls back for each name of a listing, with its index. */
export declare function forEachName(names: Buffer, visit: (name: string, index: number) => void): void;
/** Calls back for each directory of a listing, with its name. */
export declare function forEachDirectory(names: Buffer, rows: Uint32Array, visit: (name: string) => void): void;
