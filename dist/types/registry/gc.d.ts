import { type Emit } from '../core/events.ts';
export interface CollectRequest {
    readonly root: string;
    /** Tags that nobody used for this long are dropped. */
    readonly olderThanMs?: number;
    /** Tags are dropped, the least recently used first, until what the others reach has no more bytes. */
    readonly maxBytes?: number;
    /** What was used within this time is kept in any case. */
    readonly graceMs: number;
    /** Only says what would be removed. */
    readonly dryRun?: boolean;
    readonly emit?: Emit;
}
export interface CollectResult {
    readonly tags: number;
    readonly manifests: number;
    readonly blobs: number;
    readonly freedBytes: number;
    readonly keptBytes: number;
}
/**
 * Removes what nothing reaches: neither tags, nor manifests used within the grace period, nor referrers of what is kept.
 * The directory may be served and used as a layer cache meanwhile; a second run at the same time is harmless.
 * @throws AppError CACHE_DIR when the directory cannot be used or locked
 */
export declare function collectGarbage(request: CollectRequest): Promise<CollectResult>;
