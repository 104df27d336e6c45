import { findConverted } from '../cache/converted.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { LayerBlob } from '../layer/types.ts';
import { type BaseCache, openBaseCache } from '../oci/base-cache/base-cache.ts';
import { headManifest } from '../oci/http/manifests.ts';
import type { RegistryClient } from '../oci/http/types.ts';
import { resolveImage } from '../oci/image.ts';
import { formatReference, tagOrDigest } from '../oci/reference.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
import { storeBlob } from './publishing/layer-blobs.ts';
import type { RegistrySettings } from './types.ts';

export interface CachedBasesDeps {
  readonly client: RegistryClient;
  readonly open: (reference: Reference) => Store;
  /** Whether mirrors are asked before a registry is. */
  readonly isMirrored: (registry: string) => boolean;
  readonly emit: Emit;
}

/** Images, read from a directory where it holds them. */
export interface CachedBases {
  /** @throws AppError REFERENCE, REGISTRY, AUTH, CORRUPT */
  resolve(reference: Reference, platform: Platform, signal?: AbortSignal): Promise<Image>;
  /** Whether a blob is read from the directory. */
  holds(digest: Digest): boolean;
  /** A layer as it is best unpacked: the directory may hold a copy of it in our own frames. */
  toUnpack(layer: LayerBlob): Promise<LayerBlob>;
  /** Reads a blob from elsewhere from now on; whether it came from the directory until now. */
  leaveOut(digest: Digest): boolean;
}

/**
 * Resolves images with a directory of base images in front of their registries. A digest that is there whole needs no
 * network; of a tag the registry is asked for the digest alone. Where it cannot be reached, the tag is what it was when
 * the directory was filled, with a warning, unless the settings forbid it.
 */
export function createCachedBases(
  baseImages: RegistrySettings['baseImages'],
  { client, open, isMirrored, emit }: CachedBasesDeps,
): CachedBases {
  if (baseImages === undefined) {
    return {
      resolve: (reference, platform, signal) => resolveImage(open(reference), reference, platform, signal),
      holds: () => false,
      toUnpack: async (layer) => layer,
      leaveOut: () => false,
    };
  }
  const cache = openBaseCache(baseImages.dir);

  const digestOfTag = async (reference: Reference, signal: AbortSignal | undefined) => {
    const tag = tagOrDigest(reference);
    try {
      if (isMirrored(reference.registry))
        return (await open(reference).resolve(tag, signal))?.descriptor.digest;
      return (await headManifest({ client, ...reference }, tag, signal))?.digest;
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof AppError) || error.code !== 'REGISTRY' || baseImages.requireRegistry)
        throw error;
      const known = await cache.tagged(reference);
      if (known === undefined) throw error;
      emit({
        type: 'warning',
        code: 'REGISTRY',
        text: `${reference.familiar} is taken from ${baseImages.dir} as it was there: ${error.message}`,
        hint: 'the tag may mean another image by now; ENVBUILDER_BASE_IMAGE_CACHE_STRICT forbids this',
      });
      return known;
    }
  };

  const served = new Set<Digest>();
  const damaged = new Set<Digest>();
  /** Layers that are unpacked from a copy, and those whose copy is damaged. */
  const [copies, damagedCopies] = [new Set<Digest>(), new Set<Digest>()];
  const holds = (digest: Digest): boolean => served.has(digest) && !damaged.has(digest);
  const resolve: CachedBases['resolve'] = async (reference, platform, signal) => {
    const remote = open(reference);
    const digest = reference.digest ?? (await digestOfTag(reference, signal));
    if (digest === undefined) return resolveImage(remote, reference, platform, signal);
    const exact: Reference = { ...reference, digest };
    const name = formatReference(reference);
    const image = await cachedImage(cache, exact, platform, signal);
    if (image === undefined)
      return { ...(await resolveImage(remote, exact, platform, signal)), reference: name };
    emit({ type: 'message', level: 'debug', text: `${reference.familiar} is read from ${baseImages.dir}` });
    for (const { digest: layer } of image.parsed.layers) served.add(layer);
    return { ...image, reference: name, store: withFallback(cache.store, remote, damaged) };
  };
  return {
    resolve,
    holds,
    toUnpack: async (layer) => {
      if (!baseImages.copies || layer.toc) return layer;
      if (!holds(layer.digest) || damagedCopies.has(layer.digest)) return layer;
      const copy = await findConverted(cache.store, layer);
      if (!copy) return layer;
      copies.add(layer.digest);
      const { readRange } = storeBlob(cache.store, { ...layer, ...copy }, { told: layer.digest });
      return { ...layer, size: copy.size, toc: copy.toc, from: cache.store.name, readRange };
    },
    leaveOut: (digest) => {
      // What the copy was made from is in the directory too.
      if (copies.delete(digest)) {
        damagedCopies.add(digest);
        return true;
      }
      const held = holds(digest);
      if (held) damaged.add(digest);
      return held;
    },
  };
}

/** The image when all of it is in the cache. */
async function cachedImage(
  { store }: BaseCache,
  reference: Reference,
  platform: Platform,
  signal: AbortSignal | undefined,
): Promise<Image | undefined> {
  try {
    const image = await resolveImage(store, reference, platform, signal);
    const sizes = await Promise.all(image.parsed.layers.map((layer) => store.has(layer.digest)));
    return image.parsed.layers.every(({ size }, i) => sizes[i] === size) ? image : undefined;
  } catch (error) {
    signal?.throwIfAborted();
    // Whatever is wrong with the cached copy, the registry has another one.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** Reads from the cache, and from the registry what is damaged there or has left it; writes go to the registry. */
function withFallback(cache: Store, remote: Store, damaged: ReadonlySet<Digest>): Store {
  const sizeOf = async (digest: Digest): Promise<number | undefined> =>
    damaged.has(digest) ? undefined : cache.has(digest);
  return {
    ...remote,
    has: async (digest, signal) => (await sizeOf(digest)) ?? remote.has(digest, signal),
    resolve: async (name, signal) => (await cache.resolve(name)) ?? remote.resolve(name, signal),
    get: async (digest, range, signal) => {
      const there = (await sizeOf(digest)) !== undefined;
      return (there ? cache : remote).get(digest, range, signal);
    },
  };
}
