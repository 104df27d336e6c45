import { digestOf } from '../core/digest.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { LayerRef } from './types.ts';

/** The layer that changes nothing, as every Docker engine knows it: gzip of an empty tar. */
export const EMPTY_LAYER_BYTES = Buffer.from(
  '1f8b080000096e8800ff621805a360148c5800080000ffff2eafb5ef00040000',
  'hex',
);

/** Its facts; the layer of the record of a step that changed nothing. */
export const EMPTY_LAYER: LayerRef = {
  mediaType: MEDIA_TYPES.ociLayerGzip,
  digest: digestOf(EMPTY_LAYER_BYTES),
  size: EMPTY_LAYER_BYTES.length,
  diffId: digestOf(Buffer.alloc(1024)),
};
