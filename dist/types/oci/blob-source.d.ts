import { type Digest } from '../core/digest.ts';
import type { BlobSource, Descriptor, Store } from './types.ts';
/** Bytes of a file stream's chunk: large, since every chunk costs a turn of the event loop. */
export declare const FILE_CHUNK: number;
/** A blob that is in memory. */
export declare function bytesSource(bytes: Buffer): BlobSource;
/**
 * A blob that is a file of its own.
 * @param verified the digest was computed while this process wrote the file, so that nobody has to read it again
 */
export declare function fileSource(file: string, digest: Digest, size: number, verified?: boolean): BlobSource;
/** A blob of another store; `mountFrom` where both are repositories of one registry. */
export declare function storeSource(store: Store, descriptor: Pick<Descriptor, 'digest' | 'size'>, options?: {
    readonly mountFrom?: string;
    readonly signal?: AbortSignal;
}): BlobSource;
