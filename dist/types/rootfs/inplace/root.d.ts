import { type MoveDeps } from './move.ts';
import { type Pins } from './pins.ts';
import { type DirectoryTable } from './table.ts';
/** The root file system while a tree takes its place. */
export interface EnteredRoot {
    readonly pins: Pins;
    /** Takes the tree out of the root again. */
    leave(table: DirectoryTable): void;
}
export interface RootDeps extends MoveDeps {
    /** Absolute paths that stay, besides mounts. */
    readonly keep: readonly string[];
}
/**
 * Makes a tree the root file system: everything but pins is deleted from the root, and the tree's entries are moved into it.
 * @param dir a complete tree on the file system of the root, below a path that is kept
 */
export declare function enterRoot(dir: string, deps: RootDeps): EnteredRoot;
/** Makes an empty directory, whatever is there. */
export declare function freshDirectory(path: string, mode: number): string;
