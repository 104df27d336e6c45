import { type PathFacts } from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { TreeXattrs } from '../snapshot/entry.ts';
import type { PreviousContent } from './previous.ts';
import { type DirectoryTable } from './table.ts';
export interface CompareDeps {
    readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
    /** Host path of the tree. */
    readonly root: string;
    /** What the tree's attributes were before. */
    readonly xattrs: TreeXattrs;
    /** Content of paths before the step, for those whose facts alone do not tell; sizes by path. */
    readonly previous: (wanted: ReadonlyMap<string, number>) => Promise<Map<string, PreviousContent>>;
}
/** Tells changed paths from those that were only touched. */
export interface Comparison {
    /** Whether a path surely differs from what it was; one whose content has to be looked at is taken note of. */
    differs(path: string, now: PathFacts, old: PathFacts): boolean;
    /** Looks at the content of those; the paths that differ. */
    undecided(): Promise<string[]>;
}
/**
 * Compares a tree with what it was. A path counts as unchanged when type, owner, mode, size, mtime, attributes and content are
 * the same, and a file has no new name; the layers below are read only for paths of which everything but the content is known
 * to be the same.
 */
export declare function createComparison(before: DirectoryTable, after: DirectoryTable, deps: CompareDeps): Comparison;
