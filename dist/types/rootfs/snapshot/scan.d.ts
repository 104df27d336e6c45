import type { Syscalls } from '../../sys/types.ts';
import { type ScannedEntry } from './entry.ts';
export interface ScanDeps {
    readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
    /** The upper directory of an overlay mount that is unmounted. */
    readonly upper: string;
    /** What lay below it, as a tree that can be read. */
    readonly lower: string;
    /** See CommitOptions.mtime. */
    readonly mtime: number | undefined;
}
/**
 * What an overlay's upper directory changes, as layer entries sorted by path with parents first: deletions as whiteouts,
 * replaced directories as opaque ones. What the kernel copied up without a change is left out, and so are directories of
 * which only the time is new, and the root itself, of which no engine takes anything; sockets never enter a layer.
 */
export declare function scanUpper(deps: ScanDeps): ScannedEntry[];
