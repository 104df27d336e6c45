import type { LayerRef } from './types.ts';
/** The layer that changes nothing, as every Docker engine knows it: gzip of an empty tar. */
export declare const EMPTY_LAYER_BYTES: Buffer<ArrayBuffer>;
/** Its facts; the layer of the record of a step that changed nothing. */
export declare const EMPTY_LAYER: LayerRef;
