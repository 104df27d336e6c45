import { type StageHit } from '../cache/hits.ts';
import { type LookupOptions } from '../cache/lookup.ts';
import type { CacheRecord } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { Store } from '../oci/types.ts';
import type { Plan } from '../plan/types.ts';
export interface UsableRecords {
    readonly records: ReadonlyMap<Digest, CacheRecord>;
    readonly hits: ReadonlyMap<number, StageHit>;
    /** Layers that are gone or damaged. */
    readonly unusable: ReadonlySet<Digest>;
}
/**
 * The hits of a plan whose layers are all in the store, with their right sizes; a record of a layer that is gone is a
 * miss with a warning. Layers are asked for with HEAD, all of a round at once.
 * @param bad layers that turned out to be unreadable earlier in this build
 */
export declare function usableRecords(plan: Plan, found: ReadonlyMap<Digest, CacheRecord>, deps: {
    readonly store: Store | undefined;
    readonly bad: ReadonlySet<Digest>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Promise<UsableRecords>;
/** A function that gives the record under a key as the own repository has it now, where all of its layers are there. */
export declare function createUsableRecord(lookup: LookupOptions, { ownStore, store, unusable, }: {
    readonly ownStore: Store;
    readonly store: Store;
    readonly unusable: ReadonlySet<Digest>;
}): (key: Digest) => Promise<CacheRecord | undefined>;
