import { type Readable } from 'node:stream';
import type { LayerReader } from '../layer/types.ts';
import type { Syscalls } from '../sys/types.ts';
import type { SourceTree, TreeNode } from './types.ts';
/**
 * Whether ADD unpacks a file: a tar, plain or compressed by gzip, bzip2, xz or zstd, told by its content. A compressed
 * file that holds anything else is copied as it is.
 */
export declare function isArchive(tree: SourceTree, node: TreeNode): Promise<boolean>;
export interface UnpackOptions {
    readonly readLayer: (stream: Readable, mediaType: string, what: string) => LayerReader;
    readonly syscalls: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'> & Partial<Pick<Syscalls, 'openat2'>>;
    /** Names the archive in errors. */
    readonly what: string;
}
/**
 * Unpacks an archive into an empty directory, with owners, modes, times, links and attributes. Links that it writes through
 * lead where they would if the directory were the root, as under Docker.
 * @throws AppError CORRUPT when it is not an archive or leaves its root; CONTEXT when bzip2 or xz is needed and missing
 */
export declare function unpackArchive(stream: Readable, target: string, options: UnpackOptions): Promise<void>;
