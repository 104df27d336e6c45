import { type Digest } from '../core/digest.ts';
import type { LayerEntry } from '../tar/types.ts';
/** A file of a tree whose layer is known beforehand. */
export interface FixedFile {
    /** Below the tree's directory; '' for the directory itself. */
    readonly path: string;
    readonly type: 'file' | 'dir' | 'symlink';
    readonly mode: number;
    readonly size: number;
    /** Of a symlink, else ''. */
    readonly linkname: string;
    /** Of the content, for files that have any. */
    readonly digest?: Digest;
}
/** All files below a directory, in the order in which a layer has them. */
export declare function listTree(dir: string): FixedFile[];
/**
 * Adds files of a directory to a layer, owned by root and without times, so that the layer depends on nothing but them.
 * @param name the directory's path in the layer
 * @param signal ends it between two pieces of a file
 * @throws AppError CONTEXT when a file is not there any more, or has another size
 */
export declare function addTree(add: (entry: LayerEntry, content?: AsyncIterable<Buffer>) => Promise<void>, dir: string, name: string, files: readonly FixedFile[], signal?: AbortSignal): Promise<void>;
/** The digests of the tree's files that are known, by their paths in its layer. */
export declare function knownContents(name: string, files: readonly FixedFile[]): ReadonlyMap<string, Digest>;
/** An entry owned by root and without a time. */
export declare function fixedEntry(path: string, file: Omit<FixedFile, 'path'>): LayerEntry;
