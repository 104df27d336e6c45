import type { StageHit } from '../cache/hits.ts';
import type { Plan } from '../plan/types.ts';
/**
 * The base images, by layersKey, of more than one of the stages whose files the missing steps of the target are likely to
 * need.
 */
export declare function sharedBases(plan: Plan, hits: ReadonlyMap<number, StageHit>): ReadonlySet<string>;
