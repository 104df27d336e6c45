import { Readable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import type { ByteRange } from '../types.ts';
import type { RegistryClient } from './types.ts';
export interface BlobRead {
    readonly client: RegistryClient;
    readonly registry: string;
    readonly repository: string;
    readonly digest: Digest;
    readonly range?: ByteRange;
    readonly signal?: AbortSignal;
}
/**
 * Opens a blob for reading. A connection that breaks is made again from where it broke, as long as each one brings
 * something. Without a range the content is verified.
 * @throws AppError REGISTRY, AUTH, REFERENCE at once; the stream fails with REGISTRY or CORRUPT
 */
export declare function openRemoteBlob(read: BlobRead): Promise<Readable>;
