import { type ContentDigest } from '../core/digest.ts';
import type { Exchange, Storage } from './types.ts';
/** Requests for the blobs of a repository. */
export interface Blobs {
    read(exchange: Exchange, repository: string, digest: ContentDigest): Promise<void>;
    remove(exchange: Exchange, repository: string, digest: ContentDigest): Promise<void>;
    /** The size of a blob that the repository holds; whoever is told it can rely on the blob for the grace period. */
    sizeOf(repository: string, digest: ContentDigest): Promise<number | undefined>;
}
/** Serves blobs. A whole one is verified while it is sent, and what is found damaged is removed. */
export declare function createBlobs(storage: Storage): Blobs;
/** The size of a blob's file; an empty file of another blob was left by a machine that lost its power. */
export declare function storedSize(path: string, digest: ContentDigest): number | undefined;
