import { type Digest } from '../core/digest.ts';
import type { CacheRecord } from './types.ts';
/** A record as it is stored: the manifest's exact bytes, and the config that it names. */
export interface EncodedRecord {
    readonly manifest: Buffer;
    readonly config: Buffer;
}
/**
 * How a record is written. `full`: all is in annotations and the config is embedded, so one GET is the whole record.
 * `lean`, for registries that limit annotations or refuse embedded data: all is in the config, which takes one more GET.
 * `opaque`, for those that do not know the layer's media type either: its layer is untyped.
 */
export type RecordForm = 'full' | 'lean' | 'opaque';
/** A record as an OCI image manifest with one layer, so that any runtime can pull it (unless it is opaque). */
export declare function encodeRecord(record: CacheRecord, form?: RecordForm): EncodedRecord;
/** The config that has to be fetched before a record can be read; undefined when the manifest is all there is. */
export declare function detachedConfig(bytes: Buffer): {
    readonly digest: Digest;
    readonly size: number;
} | undefined;
/**
 * Reads a record back.
 * @param tag the key or content key under which it was found
 * @param detached the config that detachedConfig names
 * @throws AppError CORRUPT when anything in it does not fit; the caller treats that as a miss
 */
export declare function decodeRecord(bytes: Buffer, tag: Digest, detached?: Buffer): CacheRecord;
