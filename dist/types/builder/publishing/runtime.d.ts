import type { LayerRef } from '../../cache/types.ts';
import type { CompressPool } from '../../layer/compress-pool.ts';
import { type FixedFile } from '../../layer/fixed-tree.ts';
import type { BlobSource, ContainerConfig } from '../../oci/types.ts';
/** A layer of the runtime: its files, and what it is when they are put into a layer. */
export interface RuntimeLayer {
    /** For the history of images. */
    readonly name: string;
    readonly files: readonly FixedFile[];
    readonly layer: LayerRef;
    /** The description itself, as it lies in `app/layer-<name>.json`. */
    readonly description: Buffer;
}
/** What makes an image start by itself: our own files, as the runtime image has them. */
export interface RuntimeSpec {
    /** The directory with the files: `/.envbuilder` in the runtime image. */
    readonly dir: string;
    readonly layers: readonly RuntimeLayer[];
    /** Goes into the magic image file, for the start; the same in a build and its probe, and no secret. */
    readonly start?: unknown;
}
/** What a layer is made with; both are made when they are first asked for. A Session has them. */
interface LayerTools {
    readonly workDir: () => string;
    readonly pool: () => CompressPool;
}
interface RuntimeSource {
    /**
     * Its bytes; made when they are first asked for, and read while they are made. The last of them comes only when all
     * are right.
     * @param stop ends the making
     */
    readonly source: (session: LayerTools, stop?: AbortSignal) => BlobSource;
    /** Waits until nothing is being made. */
    readonly idle: () => Promise<void>;
}
/** The layers that are put on top of an image, lowest first. */
export interface PreparedRuntime {
    readonly layers: readonly (RuntimeSource & {
        readonly createdBy: string;
        readonly layer: LayerRef;
    })[];
}
/**
 * The layers of the runtime and the one of the magic image file, for an image with this config. A pure function of its
 * arguments: a probe comes to the same digests as the build that pushed the image.
 */
export declare function prepareRuntime(spec: RuntimeSpec, config: ContainerConfig | undefined): Promise<PreparedRuntime>;
/** The config of an image that starts with us: root in /, whatever the image itself says, which the magic file keeps. */
export declare function runtimeConfig(config: ContainerConfig | undefined): ContainerConfig;
export {};
