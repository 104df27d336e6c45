import type { LayerRef } from '../../cache/types.ts';
import { hexOf, isDigest } from '../../core/digest.ts';
import { TOC_VERSION } from '../../layer/toc.ts';
import type { TocPosition } from '../../layer/types.ts';
import { layerMediaType, toOciLayerType } from '../../oci/media-types.ts';
import type { Descriptor } from '../../oci/types.ts';

/** Of a layer of an image (OCI image spec, "Descriptors"): where its table of contents is. */
const ANNOTATION = 'dev.envbuilder.toc';
/** Bytes, compressed, from which on it pays to read a layer in parallel. */
const WORTH_IT = 1 << 20;
const FORMAT = new RegExp(
  `^${TOC_VERSION}:([0-9a-f]{64}):([0-9]{1,15}):([0-9]{1,15}):(sha256:[0-9a-f]{64})$`,
);

/** A layer of ours as an image names it, with the place of its table where it is worth reading. */
export function layerDescriptor(layer: LayerRef): Descriptor {
  const { digest, size, toc } = layer;
  const plain = plainDescriptor(layer);
  if (!toc || size < WORTH_IT || plain.mediaType !== layerMediaType('zstd')) return plain;
  const place = [TOC_VERSION, hexOf(digest), toc.offset, toc.length, toc.digest].join(':');
  return { ...plain, annotations: { [ANNOTATION]: place } };
}

/** A layer of a base image as an image upon it names it: of its annotations, the place of a table of ours is left. */
export function baseDescriptor(layer: Descriptor): Descriptor {
  const plain = plainDescriptor(layer);
  return tocOf(layer) ? { ...plain, annotations: { [ANNOTATION]: layer.annotations![ANNOTATION]! } } : plain;
}

/**
 * Where the table of contents of an image's layer is. Whoever compresses a layer anew may leave the annotation where it was,
 * so it names the layer that it is about.
 * @returns undefined where no table of ours is named for this very layer
 */
export function tocOf({ mediaType, digest, size, annotations }: Descriptor): TocPosition | undefined {
  if (mediaType !== layerMediaType('zstd')) return undefined;
  const [, layer, offset, length, table = ''] = FORMAT.exec(annotations?.[ANNOTATION] ?? '') ?? [];
  if (layer !== hexOf(digest) || !isDigest(table)) return undefined;
  const toc = { offset: Number(offset), length: Number(length), digest: table };
  return toc.offset + toc.length <= size ? toc : undefined;
}

/** Bases of Docker's family are named by OCI types, so that one image never mixes both families. */
function plainDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType: toOciLayerType(mediaType), digest, size };
}
