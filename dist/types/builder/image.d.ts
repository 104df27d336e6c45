import type { LayerRef } from '../cache/types.ts';
import { type Digest } from '../core/digest.ts';
import type { Descriptor, Image } from '../oci/types.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import { type PreparedRuntime } from './publishing/runtime.ts';
/** An image as bytes, and the layers it names, lowest first. */
export interface AssembledImage {
    readonly manifest: Buffer;
    readonly config: Buffer;
    readonly layers: readonly Descriptor[];
    readonly baseLayers: readonly Descriptor[];
    /** Those of the runtime that was put on top, by digest. */
    readonly runtime: PreparedRuntime | undefined;
    /** Of `layers`, in the same order. */
    readonly diffIds: readonly Digest[];
}
/** What the cache or the build knows about the target stage. */
export interface TargetLayers {
    readonly chain: readonly LayerRef[];
    /** As in CacheRecord. */
    readonly made: string;
    /** RFC 3339; undefined when the stage has no step, then the base's own time stands. */
    readonly created: string | undefined;
}
/**
 * The image of the target stage. A pure function of the plan and the target's last record, so a probe that finds the
 * record knows the digest of the image that the build pushed.
 * @param runtime put on top, so that the image starts with us
 */
export declare function assembleImage(plan: Plan, target: TargetLayers, runtime?: PreparedRuntime): AssembledImage;
/** The image that a stage starts from, through any `FROM stage`; undefined for scratch. */
export declare function baseImage(plan: Plan, stage: PlannedStage): Image | undefined;
/** The time that an image carries: the build argument SOURCE_DATE_EPOCH, as with BuildKit, or when its last layer was made. */
export declare function imageTime(buildArgs: ReadonlyMap<string, string>, created: string | undefined): string | undefined;
