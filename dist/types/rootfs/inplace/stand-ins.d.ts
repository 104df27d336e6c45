import type { Pins } from './pins.ts';
/** Symlinks that stand for the entries of a directory, by path. */
export interface StandIns {
    /** Takes them away; what was deleted or put in their place is deleted from, or moved into, the directory that they stood for. */
    remove(): void;
}
/**
 * A mount at /lib/modules makes /lib a directory that cannot be replaced by the image's symlink to usr/lib. In its place
 * come symlinks to every entry of the directory that the symlink leads to.
 * @param root the tree as it is now
 * @param behind the symlinks by path, and what is pinned at that path
 * @param linkOf where a symlink that could not be put there lies
 */
export declare function placeStandIns(root: string, behind: ReadonlyMap<string, Pins>, linkOf: (path: string) => string): StandIns;
