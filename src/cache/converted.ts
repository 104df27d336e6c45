import * as v from 'valibot';
import { type Digest, hexOf, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { TocPosition } from '../layer/types.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { layerMediaType, MEDIA_TYPES } from '../oci/media-types.ts';
import type { BlobSource, Store } from '../oci/types.ts';
import { artifactManifest, EMPTY_CONFIG } from './note.ts';

/*
 * A layer of others can have a copy in our own frames beside it, which is unpacked in parallel. It is the one layer of an
 * artifact (OCI image spec, "Guidelines for Artifact Usage") under a tag that the digest of the layer gives.
 */

/** A layer's copy in our own frames. */
export interface Converted {
  /** The digest of the layer's tar, which the copy was made from. */
  readonly diffId: Digest;
  readonly digest: Digest;
  /** In bytes, compressed. */
  readonly size: number;
  readonly toc: TocPosition;
}

const ANNOTATION = 'dev.envbuilder.converted';
const digest = v.custom<Digest>((value) => typeof value === 'string' && isDigest(value));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const converted = v.object({
  diffId: digest,
  digest,
  size: count,
  toc: v.object({ offset: count, length: count, digest }),
});

/** The tag of the copy of a layer. */
const convertedTag = (layer: Digest): string => `converted-${hexOf(layer)}`;

/** Stores the copy of a layer. @throws what the store throws */
export async function storeConverted(
  store: Store,
  layer: Digest,
  copy: Converted,
  source: BlobSource,
  signal: AbortSignal | undefined,
): Promise<void> {
  await store.put(bytesSource(EMPTY_CONFIG), signal);
  await store.put(source, signal);
  const { digest: of, size } = copy;
  const layers = [{ mediaType: layerMediaType('zstd'), digest: of, size }];
  const bytes = artifactManifest('converted', { [ANNOTATION]: JSON.stringify(copy) }, layers);
  await store.tag(bytes, MEDIA_TYPES.ociManifest, convertedTag(layer), signal);
}

/**
 * The copy of a layer, where the store has one whole.
 *
 * @param layer its digest, and that of its tar as the image's config has it
 * @returns undefined for one that is not there, cannot be read, or was made from something else
 */
export async function findConverted(
  store: Store,
  layer: { readonly digest: Digest; readonly diffId: Digest },
  signal?: AbortSignal,
): Promise<Converted | undefined> {
  try {
    const raw = await store.resolve(convertedTag(layer.digest), signal);
    if (!raw) return undefined;
    const found = v.parse(
      converted,
      JSON.parse(JSON.parse(raw.bytes.toString('utf8')).annotations[ANNOTATION]),
    );
    if (found.diffId !== layer.diffId) return undefined;
    return (await store.has(found.digest, signal)) === found.size ? found : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof AppError || error instanceof SyntaxError || error instanceof TypeError)
      return undefined;
    if (v.isValiError(error)) return undefined;
    throw error;
  }
}
