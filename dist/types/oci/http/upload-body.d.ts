import type { Readable } from 'node:stream';
import type { BlobSource } from '../types.ts';
import type { RegistryClient } from './types.ts';
/**
 * The bytes of a blob from `start` to `end` as a request body, made anew for every try. Sent bytes are reported.
 * @throws AppError CORRUPT (from the stream) when the source yields fewer
 */
export declare function countedBody({ client, source }: {
    readonly client: Pick<RegistryClient, 'emit'>;
    readonly source: BlobSource;
}, start: number, end: number): () => Readable;
/**
 * Bytes that a registry holds of an upload, by its `Range: 0-<last>` header; 0 when it does not say, and for `0-0`, which
 * Distribution sends for an empty upload too.
 */
export declare function rangeOf(headers: Readonly<Record<string, string>>): number;
