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
    /** When the last step was made; undefined for a stage without steps. */
    readonly created: string | undefined;
    /** Materialised on first use. */
    state(): Promise<RootfsState>;
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
    readonly publish: (request: PublishRequest) => void;
    /** RFC 3339: when this build's steps are made. */
    readonly created: string;
    /** A stage begins only when those that it needs are finished. */
    readonly oneAfterAnother: boolean;
    readonly emit: Emit;
}
/** A function that gives a stage's result, building what is missing, each stage once and, unless told otherwise, independent ones at once. */
export declare function createStageRunner(deps: StageRunnerDeps): (stage: number) => Promise<StageResult>;
