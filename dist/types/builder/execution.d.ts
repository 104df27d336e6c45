import type { LayerRef } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { BlobSource, Store } from '../oci/types.ts';
import type { Plan } from '../plan/types.ts';
import type { Session } from './session.ts';
import { type StageResult } from './stage-runner.ts';
import type { BuildRequest } from './types.ts';
import { type UsableRecords } from './usable-records.ts';
/** One attempt at a plan: its stages, and what it has stored. */
export interface Execution {
    readonly resultOf: (stage: number) => Promise<StageResult>;
    /** A layer of the chain, wherever it is. */
    readonly blob: (layer: LayerRef) => LayerBlob;
    /** The layers of the target's base image, from the cache where that holds them. */
    baseBlobs(): LayerBlob[];
    /** Whether a layer was to be read from the cache. */
    readonly fromCache: (digest: Digest) => boolean;
    /** Waits until records and layers are stored; the first failure, if any. */
    published(): Promise<AppError | undefined>;
    /** A layer of the chain as something to put into another store. */
    readonly source: (layer: Pick<LayerRef, 'digest' | 'size'>, to: Store) => Promise<BlobSource>;
    /** Whether any step ran. */
    builtAnything(): boolean;
    /** Makes the root file system the target's; only with the back end `inplace`. */
    settle(): Promise<void>;
    dispose(): Promise<void>;
}
/** Gets ready to carry out a plan; nothing runs, and no right is needed, until a stage is asked for that misses steps. */
export declare function startExecution(request: BuildRequest, session: Session, plan: Plan, usable: UsableRecords, deps: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Execution;
