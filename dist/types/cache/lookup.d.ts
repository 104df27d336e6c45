import { type Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { Store } from '../oci/types.ts';
import type { Trust } from './trust.ts';
import type { CacheRecord } from './types.ts';
export interface LookupOptions {
    /** Repositories that may hold records; of two records that count, that of the earlier one does. */
    readonly stores: readonly Store[];
    readonly trust: Trust;
    /** Records created longer ago than this are misses; Infinity keeps all. */
    readonly ttlMs: number;
    /** Milliseconds since the epoch. */
    readonly now: number;
    readonly emit: Emit;
    readonly signal?: AbortSignal;
}
/** Every record that is stored under these keys, is readable, trusted and young enough. All are asked for at once. */
export declare function lookupRecords(keys: readonly Digest[], options: LookupOptions): Promise<Map<Digest, CacheRecord>>;
/**
 * The record under one key or content key; undefined when there is none that is trusted and young enough.
 * @throws AppError when no store has one, and one cannot be asked or has a record that cannot be read
 */
export declare function lookupRecord(key: Digest, options: LookupOptions): Promise<CacheRecord | undefined>;
