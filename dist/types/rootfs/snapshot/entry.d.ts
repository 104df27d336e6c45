import type { Syscalls } from '../../sys/types.ts';
import type { EntryType, LayerEntry } from '../../tar/types.ts';
/** An entry of a layer to be, and where its content is read. */
export interface ScannedEntry {
    readonly entry: LayerEntry;
    /** Host path of a file with content. */
    readonly file?: string;
}
/** What a snapshot needs to know about a path. */
export interface Stat {
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly size: number;
    readonly mtimeNs: bigint;
    readonly rdev: bigint;
    readonly type: EntryType | 'socket';
    readonly links: number;
    readonly id: string;
}
/** How a snapshot of a tree is made. */
export interface EntryDeps {
    readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
    /** Host path of the tree. */
    readonly root: string;
    /** See CommitOptions.mtime. */
    readonly mtime: number | undefined;
}
/** Extended attributes that a layer keeps, by path. */
export type TreeXattrs = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;
/** A path of a tree as a layer's entry. */
export declare function entryOf(deps: Pick<EntryDeps, 'mtime'>, path: string, stat: Stat, type: EntryType, more: {
    readonly linkname?: string;
    readonly xattrs?: ReadonlyMap<string, Buffer>;
}): LayerEntry;
/** The entry of anything but a directory, with its link target, and with the file that holds its content. */
export declare function leafEntry(deps: EntryDeps, path: string, stat: Stat, xattrs: ReadonlyMap<string, Buffer>): ScannedEntry;
/** Whether owner and permissions are the same. */
export declare function sameMeta(a: Stat, b: Stat): boolean;
/** The attributes that belong to a layer: capabilities and the user's own. */
export declare function readXattrs(syscalls: EntryDeps['syscalls'], root: string, path: string): ReadonlyMap<string, Buffer>;
/** Whether two sets of attributes are equal. */
export declare function sameXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean;
/** Names in a directory, sorted by their bytes. */
export declare function names(dir: string): string[];
/** Facts of a path itself; undefined when it is not there. */
export declare function statOf(path: string): Stat | undefined;
/** The host path of a path in a tree; '' is its root. */
export declare function join(root: string, path: string): string;
