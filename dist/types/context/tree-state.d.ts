import type { Digest } from '../core/digest.ts';
import type { DirectoryListing, Syscalls } from '../sys/types.ts';
import type { IgnoreMatcher } from './ignore-matcher.ts';
export interface TreeStateDeps {
    /** Host directory. */
    readonly root: string;
    /** Opens a path relative to it, through no link. */
    readonly open: (path: string, flags: number) => number;
    readonly ignore?: IgnoreMatcher;
    readonly syscalls: Pick<Syscalls, 'listDirectory'>;
}
/** Files as they are at one moment. */
export interface TreeState {
    /** Equal only while nothing that lstat tells has changed, and the order of names neither; never part of a key. */
    readonly digest: Digest;
    /** What is in each directory, by path. */
    readonly directories: ReadonlyMap<string, Listed>;
    /** The latest change of any of them, and the latest time that one has, in seconds since the epoch. */
    readonly newest: number;
}
/** What was found in a directory; without what the ignore rules leave out. */
export type Listed = Omit<DirectoryListing, 'count'>;
/**
 * The state of some paths and of all below them, without what the ignore rules leave out. No file is opened, and nothing is
 * made for each of them.
 * @param paths relative to the root; '' is the root itself
 * @returns undefined where a path is no file or directory, is excluded, leads through a symlink or is not in its plain form
 * @throws what node:fs throws where something is missing or cannot be read
 */
export declare function treeState(paths: readonly string[], deps: TreeStateDeps): TreeState | undefined;
