import type { Digest } from '../../core/digest.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { type StackDeps } from './stack.ts';
export interface OverlayBasesDeps extends StackDeps {
    /** Makes a new directory. */
    readonly nextDir: () => string;
    /** Mounts directories on top of each other, lowest first, to be read. */
    readonly view: (lowers: readonly string[]) => Promise<string>;
    /** Layers, by layersKey, that several others will be put on top of. */
    readonly shared?: ReadonlySet<string>;
}
/** Layers as directories. */
export interface OverlayBases {
    /**
     * Directories, lowest first, that hold these layers when an overlay mount has them on top of each other. Written once;
     * what lies on layers that are there already is put on top of those.
     */
    lowersOf(layers: readonly LayerBlob[]): Promise<readonly string[]>;
    /** Waits until nothing is written any more. */
    settled(): Promise<void>;
}
/** Writes layers into directories for overlay mounts. */
export declare function createOverlayBases(deps: OverlayBasesDeps): OverlayBases;
/** A name for what layers hold, lowest first. */
export declare function layersKey(diffIds: readonly Digest[]): string;
