import type { Digest } from '../core/digest.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import type { CacheRecord, LayerRef } from './types.ts';
/** How far a stage is known from the cache. */
export interface StageHit {
    /** Steps that need not run: from the first one on. */
    readonly depth: number;
    /** Layers on top of the image that the stage starts from, up to that depth. */
    readonly chain: readonly LayerRef[];
    /** As in CacheRecord, up to that depth. */
    readonly made: string;
    /** Chain IDs of stages read so far, by their last key. */
    readonly sources: Readonly<Record<string, string>>;
    /** The deepest record; undefined when none was found. */
    readonly record?: CacheRecord;
}
/**
 * The deepest usable record of every stage. A record is usable when it agrees with everything else that is known: the
 * image below it, the records of earlier steps, and the present chains of the stages that it copied from. So layers of
 * two different builds are never mixed.
 */
export declare function resolveHits(plan: Plan, records: ReadonlyMap<Digest, CacheRecord>): ReadonlyMap<number, StageHit>;
/** The chain ID of the image that a stage starts from, through any `FROM stage`. */
export declare function baseChainId(plan: Plan, stage: PlannedStage): string;
/** Whether `chain` begins with the files of `prefix`. */
export declare function startsWith(chain: readonly LayerRef[], prefix: readonly LayerRef[]): boolean;
