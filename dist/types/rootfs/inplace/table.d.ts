import { type PathFacts } from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';
/** A directory of a tree at one moment. Only the change times of what is in it are ever written again. */
export interface DirectoryTable {
    /** The names in it as the file system listed them, each with a NUL behind it. */
    readonly names: Buffer;
    /** A row of facts for each name. */
    readonly rows: Uint32Array;
    /** The tables of the directories in it, in the order of their names. */
    readonly inside: readonly DirectoryTable[];
}
/** A path in a table. */
export interface TableEntry {
    readonly facts: PathFacts;
    /** What is in it, if it is a directory. */
    readonly inside?: DirectoryTable;
}
/**
 * Looks at every path of a tree that nothing else is changing; the root itself is left out.
 * @param before an earlier table of the tree; a directory in which nothing changed, however deep, is the very same object
 */
export declare function readTable(syscalls: Pick<Syscalls, 'listDirectory'>, root: string, before?: DirectoryTable): DirectoryTable;
/** All entries of a directory by name. */
export declare function entriesOf(table: DirectoryTable): Map<string, TableEntry>;
/** Looks paths of a table up; it must not be read again meanwhile. */
export declare function createLookup(table: DirectoryTable): (path: string) => TableEntry | undefined;
/**
 * Finds the entries of a directory that are not the same in two tables: those with other facts, and the directories in which
 * anything differs, however deep.
 */
export declare function forEachDifference(before: DirectoryTable, after: DirectoryTable, visit: (name: string, now: TableEntry | undefined, old: TableEntry | undefined) => void): void;
/**
 * Waits until the clock that files get their times from has moved on, so that whatever changes from now on has a ctime that
 * no table so far holds.
 * @param file is written, on the file system of the tree
 * @returns that file's ctime: everything that changes later has a greater one
 */
export declare function waitForTick(file: string): bigint;
