import type { Syscalls } from '../../sys/types.ts';
import type { Pins } from './pins.ts';
import type { TableEntry } from './table.ts';
/** Ctimes that moved paths had once they had arrived, by path relative to the tree. */
export type Arrivals = Map<string, bigint>;
/** Finds what a table says of a path. */
export type FindFacts = (path: string) => TableEntry | undefined;
export interface MoveDeps {
    readonly syscalls: Pick<Syscalls, 'lutimes' | 'listXattrs' | 'getXattr' | 'setXattr' | 'removeXattr'>;
}
/** A directory and what stays in it. */
interface Place {
    readonly from: string;
    readonly to: string;
    readonly pins: Pins;
    /** Relative to the tree, '' or with a slash at its end. */
    readonly prefix: string;
}
/**
 * Moves a tree into a directory that holds nothing but pins. What a pin covers stays behind in the tree, and so does
 * whatever is no directory where a pin needs one.
 * @param found takes symlinks that stay behind, relative to the tree, with what is pinned there
 */
export declare function moveIn(place: Place, arrivals: Arrivals, found: Map<string, Pins>, deps: MoveDeps): void;
/**
 * The inverse of moveIn: moves everything but pins out of a directory into the tree, which holds what stayed behind.
 * @param find facts of the tree; what was only moved gets its new ctime there
 */
export declare function moveOut(place: Place, arrivals: Arrivals, find: FindFacts, deps: MoveDeps): void;
/**
 * Removes everything but pins. No other file system is ever entered, even one that was mounted meanwhile.
 * @throws Error EXDEV where there is one
 */
export declare function clearDirectory(directory: string, pins: Pins): void;
/** Deletes a path and all below it on the file system with this number. @throws Error EXDEV for anything on another one */
export declare function removeTree(path: string, dev: number): void;
/** The path of a name in a directory, which may be `/`. */
export declare function at(directory: string, name: string): string;
/** Gives a directory the owner, mode, attributes and times of another. */
export declare function copyDirectoryFacts(source: string, target: string, stat: {
    readonly uid: bigint;
    readonly gid: bigint;
    readonly mode: bigint;
    readonly mtimeNs: bigint;
}, { syscalls }: MoveDeps): void;
export {};
