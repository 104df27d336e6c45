import type { LayerRef } from '../cache/types.ts';
/** A stage's files while its layers may still be compressing: what is settled, and what is to come. */
export interface PendingChain {
    /** One entry a step since the image below; undefined means that the step changed nothing. */
    readonly layers: readonly Promise<LayerRef | undefined>[];
}
/** A chain whose layers are all known. */
export declare function settledChain(chain: readonly LayerRef[], made: string): PendingChain;
/** The chain with the layer of one more step, undefined for a step that changed nothing. */
export declare function appendLayer(chain: PendingChain, layer: Promise<LayerRef | undefined>): PendingChain;
/** The chain once every layer is finished. */
export declare function settle(pending: PendingChain): Promise<{
    readonly chain: readonly LayerRef[];
    readonly made: string;
}>;
/** The chain ID on top of `base` once every layer is finished. */
export declare function settledChainId(base: string, pending: PendingChain): Promise<string>;
