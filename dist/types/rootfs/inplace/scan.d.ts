import { type ScannedEntry, type TreeXattrs } from '../snapshot/entry.ts';
import { type CompareDeps } from './compare.ts';
import { type DirectoryTable } from './table.ts';
export interface Snapshot {
    /** As scanUpper gives them: sorted by path, parents first. */
    readonly entries: ScannedEntry[];
    /** Extended attributes that a layer keeps, by path, of the tree as it is now. */
    readonly xattrs: TreeXattrs;
}
export interface TableScanDeps extends CompareDeps {
    /** See CommitOptions.mtime. */
    readonly mtime: number | undefined;
}
/**
 * What changed in a tree between two tables, as the layer entries that the overlay back end makes of the same changes:
 * deletions as whiteouts, a directory that was made anew as an opaque one with all that is in it; what has the same facts
 * and content as before is left out, whatever its ctime.
 */
export declare function scanTable(before: DirectoryTable, after: DirectoryTable, deps: TableScanDeps): Promise<Snapshot>;
