import { type ContentDigest } from '../core/digest.ts';
import { type Emit } from '../core/events.ts';
import type { Storage } from './types.ts';
/** A blob's file as it was seen. */
export interface BlobFile {
    readonly digest: ContentDigest;
    readonly path: string;
}
/** Opens a directory; nothing is written. @throws AppError CACHE_DIR when it holds something else */
export declare function openStorage(root: string, emit?: Emit): Storage;
/** All blobs of a directory, of all repositories. */
export declare function blobFiles(root: string): Generator<BlobFile>;
/** When a file was last used or written, in milliseconds since the epoch; undefined when it is gone. */
export declare function usedAt(path: string): number | undefined;
