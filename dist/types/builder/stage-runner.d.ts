import { type StageHit } from '../cache/hits.ts';
import { type LookupOptions } from '../cache/lookup.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { Plan, Step } from '../plan/types.ts';
import type { RootfsBackend, RootfsState, StagedLayer } from '../rootfs/types.ts';
import { type PendingChain } from './chain.ts';
import type { PublishRequest } from './publishing/publish.ts';
/** A stage after its last step. */
export interface StageResult {
    readonly pending: PendingChain;
    /** Chain ID of all its files. */
    chainId(): Promise<string>;
    /** As in CacheRecord. */
    readonly sources: Promise<Sources>;
    /** When the last step was made; undefined for a stage without steps. */
    readonly created: string | undefined;
    /** Materialised on first use. */
    state(): Promise<RootfsState>;
}
type Sources = CacheRecord['sources'];
/** What is known when a step is about to run. */
export interface Entry {
    /** What other builds have made meanwhile of the step and of those behind it, by key. */
    readonly records: ReadonlyMap<Digest, CacheRecord>;
    /** Where nobody else makes the step meanwhile. */
    readonly turn: Turn | undefined;
}
/** The right to make a step, which others wait for. */
export interface Turn {
    /** To be called when the step is stored, or will not be. Never fails; may be called twice. */
    end(): void;
}
/** Runs one step's operation on a state. */
export type ExecuteStep = (step: Step, state: RootfsState) => Promise<{
    readonly state: RootfsState;
    readonly layer: Promise<StagedLayer | undefined>;
}>;
export interface StageRunnerDeps {
    readonly plan: Plan;
    readonly hits: ReadonlyMap<number, StageHit>;
    readonly records: ReadonlyMap<Digest, CacheRecord>;
    /** Layers that no record may bring back. */
    readonly unusable: ReadonlySet<Digest>;
    /** Where content keys are asked for; undefined without a cache. */
    readonly lookup: LookupOptions | undefined;
    /** The size of a layer in the cache; undefined where that does not hold it. */
    readonly has: (layer: LayerRef) => Promise<number | undefined>;
    readonly backend: () => Promise<RootfsBackend>;
    readonly baseBlob: (blob: LayerBlob) => LayerBlob;
    readonly blob: (layer: LayerRef) => LayerBlob;
    readonly stage: (layer: StagedLayer) => void;
    readonly execute: ExecuteStep;
    /** Digest of an operation by the content of the stages that it reads from. */
    readonly contentDigest: (step: Step) => Promise<Digest>;
    /** Gives the record of another build that was there first, and that stays. */
    readonly publish: (request: PublishRequest) => Promise<CacheRecord | undefined>;
    /** Called before a step runs, with those behind it in its stage; may wait for another build. */
    readonly enter: (step: Step, behind: readonly Step[]) => Promise<Entry>;
    /** RFC 3339: when this build's steps are made. */
    readonly created: string;
    /** A stage begins only when those that it needs are finished. */
    readonly oneAfterAnother: boolean;
    readonly emit: Emit;
}
/** A function that gives a stage's result, building what is missing, each stage once and, unless told otherwise, independent ones at once. */
export declare function createStageRunner(deps: StageRunnerDeps): (stage: number) => Promise<StageResult>;
export {};
