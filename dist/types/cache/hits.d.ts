import type { Digest } from '../core/digest.ts';
import type { Plan, Step } from '../plan/types.ts';
import type { CacheRecord, LayerRef } from './types.ts';
/** How far a stage is known from the cache. */
export interface StageHit {
    /** Steps that need not run: from the first one on. */
    readonly depth: number;
    /** Layers on top of the image that the stage starts from, up to that depth. */
    readonly chain: readonly LayerRef[];
    /** As in CacheRecord, up to that depth. */
    readonly made: string;
    /** As in CacheRecord, of the deepest record. */
    readonly sources: Readonly<Record<string, string>>;
    /** The deepest record; undefined when none was found for a step of the stage itself. */
    readonly record?: CacheRecord;
    /** When the last layer was made, be it a step's of the stage that this one goes on from. */
    readonly created?: string;
}
/**
 * The deepest record of every stage, over all stages together: the records that are chosen agree in all that they say of
 * their builds, so that layers of two builds are never mixed. The target's deepest comes first, since a record is complete
 * in itself, then what the steps behind it need. No step has to run whose result a chosen record has used already.
 */
export declare function resolveHits(plan: Plan, records: ReadonlyMap<Digest, CacheRecord>): ReadonlyMap<number, StageHit>;
/** The stages that a build works on: the target, and whatever steps without a record need. */
export declare function neededStages(plan: Plan, hits: ReadonlyMap<number, StageHit>): readonly number[];
/** The steps that the target needs and the cache does not have, in the order of the Dockerfile. */
export declare function missingSteps(plan: Plan, hits: ReadonlyMap<number, StageHit>): readonly Step[];
