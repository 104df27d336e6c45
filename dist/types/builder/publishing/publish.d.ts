import type { Trust } from '../../cache/trust.ts';
import type { CacheRecord, LayerRef } from '../../cache/types.ts';
import { type Digest } from '../../core/digest.ts';
import { type AppError } from '../../core/error.ts';
import { type Emit } from '../../core/events.ts';
import type { BlobSource, Store } from '../../oci/types.ts';
import type { Plan, PlannedStage, Step } from '../../plan/types.ts';
import type { StagedLayer } from '../../rootfs/types.ts';
import { type PendingChain } from '../chain.ts';
/** A step whose record is to be stored. */
export interface PublishRequest {
    readonly stage: PlannedStage;
    readonly step: Step;
    /** Up to and including this step. */
    readonly pending: PendingChain;
    readonly sources: Promise<CacheRecord['sources']>;
    readonly created: string;
    /** Nobody else makes this step meanwhile, so nobody is asked before it is stored. */
    readonly alone: boolean;
}
/** Stores layers and records while the build goes on. */
export interface Publisher {
    /**
     * Gives the record of another build that was stored under the same key before ours, and that stays: the first who writes
     * wins, so that all who race have one result. Undefined where ours is stored, or where that failed.
     */
    publish(request: PublishRequest): Promise<CacheRecord | undefined>;
    /** Waits until all is stored; gives the first failure, which was also a warning. */
    done(): Promise<AppError | undefined>;
}
export interface PublisherDeps {
    readonly plan: Plan;
    readonly store: Store;
    readonly trust: Trust;
    readonly staged: (digest: Digest) => StagedLayer | undefined;
    /** A layer of another repository of the cache; undefined when there is none besides the store. */
    readonly cached: ((layer: LayerRef) => Promise<BlobSource>) | undefined;
    readonly contentDigest: (step: Step) => Promise<Digest>;
    /** A record that a build could go on from, among those under a key; undefined when whatever is there is replaced. */
    readonly usable: ((key: Digest) => Promise<CacheRecord | undefined>) | undefined;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/**
 * A record becomes visible only after every layer of its chain: blob, config, manifest, tag. A failure is a warning and
 * is remembered; later records on top of the failed layer are not stored.
 */
export declare function createPublisher(deps: PublisherDeps): Publisher;
