import { canonicalDigest } from '../../core/canonical.ts';
import { mapLimit } from '../../core/concurrency.ts';
import { type Digest, digestOf, hexOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { copyBlob } from '../../oci/copy.ts';
import { refusesManifest } from '../../oci/http/errors.ts';
import { layerCompression, MEDIA_TYPES } from '../../oci/media-types.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Descriptor, Image, Store } from '../../oci/types.ts';
import { partsOf } from '../../plan/join.ts';
import type { Plan } from '../../plan/types.ts';
import { inTurn } from '../flight.ts';
import { baseImage } from '../image.ts';
import type { PushableImage } from '../made-image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest } from '../types.ts';
import { type Attestation, attachAll } from './attestations.ts';
import { type PreparedRuntime, prepareRuntime } from './runtime.ts';

const PARALLEL_COPIES = 4;

/** Where an image is pushed to. */
interface PushTarget {
  readonly store: Store;
  /** Undefined where it is named after its digest. */
  readonly tag: string | undefined;
  /** Further tags, once it is there. */
  readonly more?: readonly string[];
}

/** All that is pushed. */
export interface PushableImages {
  readonly images: readonly PushableImage[];
  readonly index: Buffer | undefined;
  readonly attestations: readonly Attestation[];
}

/** What an image that is not built yet will want in its repositories, on its way there. */
export interface StartedPush {
  /** As prepareRuntime; undefined when the image shall not start with us. */
  readonly runtime: PreparedRuntime | undefined;
  /**
   * Pushes the images to the cache's repository, and to the registry of every tag: layers, config, manifest, then the
   * name, which is that of the index where there is one, and at last what is said about them. Where there is no cache, the tags alone say where.
   * @throws AppError USAGE, REFERENCE, REGISTRY, AUTH, PUSH_FAILED; nothing is named before it is complete
   */
  finish(built: PushableImages, signal: AbortSignal): Promise<void>;
  /** Ends what is still on its way; may be called at any time, and never fails. */
  stop(): Promise<void>;
}

/**
 * Begins to push what does not depend on the steps, the base's layers and the runtime's, to where they are missing. Whether
 * that works is only told by `finish`, which tries again what did not.
 */
export async function startPush(
  request: BuildRequest,
  session: Session,
  plan: Plan,
  outer: AbortSignal,
): Promise<StartedPush> {
  let unusable: { readonly error: unknown } | undefined;
  const stopping = new AbortController();
  const early = AbortSignal.any([outer, stopping.signal]);
  const { config } = plan.stages.get(plan.target)!;
  const bases = basesOf(plan);
  const baseLayers = [
    ...new Map(bases.flatMap(({ parsed }) => parsed.layers).map((layer) => [layer.digest, layer])).values(),
  ];
  const runtime = request.runtime && (await prepareRuntime(request.runtime, config));
  const put = (store: Store, signal: AbortSignal): Promise<unknown> =>
    Promise.all([
      inTurnOf(store, baseLayers, signal, () =>
        Promise.all(bases.map((base) => copyBase(store, session, base, signal))),
      ),
      inTurnOf(store, runtimeLayers(runtime), signal, () =>
        putRuntime(store, session, runtime, { stop: early, signal }),
      ),
    ]);
  const inTurnOf = createCommonPush(request, session);
  const started = new Map<PushTarget, Promise<unknown>>();
  const start = (target: PushTarget): void => {
    // The cache's repository comes first, and what it holds by then is mounted.
    const before = mountable(session, target.store) ? [...started.values()].slice(0, 1) : [];
    started.set(
      target,
      Promise.all(before)
        .then(() => put(target.store, early))
        .catch(() => {}),
    );
  };
  try {
    for (const target of targetsOf(request, session)) start(target);
  } catch (error) {
    unusable = { error };
  }
  return {
    runtime,
    finish: async ({ images, index, attestations }, signal) => {
      for (const [target, begun] of started) {
        const others = begun.then(() => put(target.store, signal));
        await pushTo(target, { images, index }, others, signal);
        await attachAll(target.store, attestations, signal);
      }
      if (unusable) throw unusable.error;
    },
    stop: async () => {
      stopping.abort();
      await Promise.all([...started.values(), ...(runtime?.layers ?? []).map(({ idle }) => idle())]);
    },
  };
}

/** @throws AppError USAGE, REFERENCE, behind those that can be pushed to */
function* targetsOf(
  { tags, cacheTags = [] }: BuildRequest,
  { ownStore, openRepository }: Session,
): Generator<PushTarget> {
  if (ownStore) yield { store: ownStore, tag: undefined, more: cacheTags };
  for (const name of tags) {
    const reference = parseReference(name);
    yield { store: openRepository(reference), tag: reference.tag ?? 'latest' };
  }
  if (ownStore || tags.length > 0) return;
  throw new AppError('USAGE', 'there is nowhere to push to', {
    hint: 'name a cache with --cache-repo, or a --tag',
  });
}

/** Pushes layers that builds have in common, each of which would push them where they are missing in the cache's repository. */
function createCommonPush(
  { cacheWaitMs: patience }: BuildRequest,
  { leases, ownStore }: Pick<Session, 'leases' | 'ownStore'>,
) {
  const there = new Set<Digest>();
  return async (
    store: Store,
    layers: readonly Pick<Descriptor, 'digest' | 'size'>[],
    signal: AbortSignal,
    put: () => Promise<unknown>,
  ): Promise<void> => {
    if (!leases || store !== ownStore) return void (await put());
    const missing = layers.filter(({ digest }) => !there.has(digest));
    const sizes = await mapLimit(missing, PARALLEL_COPIES, ({ digest }) => store.has(digest, signal));
    const key = canonicalDigest({ push: layers.map(({ digest }) => digest) });
    if (sizes.some((size, i) => size !== missing[i]!.size))
      await inTurn(leases, key, { patience, signal }, put);
    for (const { digest } of layers) there.add(digest);
  };
}

function basesOf(plan: Plan): readonly Image[] {
  const all = partsOf(plan).map((part) => baseImage(part, part.stages.get(part.target)!));
  return all.filter((base) => base !== undefined);
}

const runtimeLayers = (runtime: PreparedRuntime | undefined) =>
  (runtime?.layers ?? []).map(({ layer }) => layer);

async function copyBase(store: Store, session: Session, base: Image, signal: AbortSignal): Promise<void> {
  const mountFrom = session.sameRegistry(base.store, store);
  const options = { signal, ...(mountFrom ? { mountFrom } : {}) };
  await mapLimit(base.parsed.layers, PARALLEL_COPIES, (layer) => copyBlob(base.store, store, layer, options));
}

async function putRuntime(
  store: Store,
  session: Session,
  runtime: PreparedRuntime | undefined,
  { stop, signal }: { readonly stop: AbortSignal; readonly signal: AbortSignal },
): Promise<void> {
  const mountFrom = mountable(session, store);
  await mapLimit(runtime?.layers ?? [], PARALLEL_COPIES, (layer) =>
    store.put({ ...layer.source(session, stop), ...(mountFrom ? { mountFrom } : {}) }, signal),
  );
}

/** The cache's repository, where another store can mount what that holds. */
function mountable({ ownStore, sameRegistry }: Session, store: Store): string | undefined {
  return ownStore && sameRegistry(ownStore, store);
}

/** @param others ends when the layers that the build has not made are there */
async function pushTo(
  target: PushTarget,
  { images, index }: { readonly images: readonly PushableImage[]; readonly index: Buffer | undefined },
  others: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const { store } = target;
  const [first] = images;
  const named: Named = index
    ? { bytes: index, mediaType: MEDIA_TYPES.ociIndex, layers: images.flatMap(({ image }) => image.layers) }
    : { bytes: first!.image.manifest, mediaType: MEDIA_TYPES.ociManifest, layers: first!.image.layers };
  const tag = target.tag ?? `image-${hexOf(digestOf(named.bytes)).slice(0, 40)}`;
  const [present] = await Promise.all([
    // Where tags are immutable, even the same manifest may not be put again.
    store.resolve(tag, signal),
    others,
    mapLimit(images, PARALLEL_COPIES, (one) => pushBlobs(store, one, signal)),
  ]);
  if (present?.descriptor.digest === digestOf(named.bytes)) await checkParts(store, images, index, signal);
  else {
    if (index) await putParts(store, images, signal);
    await nameImage(store, named, tag, signal);
  }
  for (const more of target.more ?? []) await moveTag(store, named, more, signal);
}

async function pushBlobs(
  store: Store,
  { image, execution }: PushableImage,
  signal: AbortSignal,
): Promise<void> {
  const runtime = new Set(image.runtime?.layers.map(({ layer }) => layer.digest));
  const own = image.layers.slice(image.baseLayers.length).filter(({ digest }) => !runtime.has(digest));
  await Promise.all([
    store.put(bytesSource(image.config), signal),
    mapLimit(own, PARALLEL_COPIES, async (layer) => store.put(await execution.source(layer, store), signal)),
  ]);
}

/** What a name stands for: an image or an index, with all layers behind it. */
interface Named {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly layers: readonly Descriptor[];
}

/** The manifests that an index names, which have no names of their own. */
async function putParts(store: Store, images: readonly PushableImage[], signal: AbortSignal): Promise<void> {
  await mapLimit(images, PARALLEL_COPIES, ({ image: { manifest, layers } }) =>
    nameImage(store, { bytes: manifest, mediaType: MEDIA_TYPES.ociManifest, layers }, undefined, signal),
  );
}

/** An index may have outlived an image of it. */
async function checkParts(
  store: Store,
  images: readonly PushableImage[],
  index: Buffer | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!index) return;
  const there = await mapLimit(images, PARALLEL_COPIES, ({ image }) =>
    store.resolve(digestOf(image.manifest), signal),
  );
  await putParts(
    store,
    images.filter((_, i) => !there[i]),
    signal,
  );
}

/** @throws AppError REGISTRY, AUTH, with what can be done where a registry does not know the image's layers */
async function nameImage(
  store: Store,
  { bytes, mediaType, layers }: Named,
  tag: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  try {
    await store.tag(bytes, mediaType, tag, signal);
  } catch (error) {
    const zstd = layers.some((layer) => layerCompression(layer.mediaType) === 'zstd');
    if (!zstd || !(error instanceof AppError) || !refusesManifest(error)) throw error;
    throw new AppError(error.code, error.message, {
      hint: 'if the registry does not know zstd, build with --compression gzip',
      cause: error,
    });
  }
}

/** Has a tag mean an image that is there already under another name. */
async function moveTag(
  store: Store,
  { bytes, mediaType }: Named,
  tag: string,
  signal: AbortSignal,
): Promise<void> {
  const digest = digestOf(bytes);
  const present = await store.resolve(tag, signal);
  if (present?.descriptor.digest === digest) return;
  try {
    await store.tag(bytes, mediaType, tag, signal);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const text = `the image is pushed as ${store.name}@${digest}, but the tag ${tag} is not: ${error.message}`;
    throw new AppError(error.code, text, {
      hint: present
        ? `it still means another image; let ${tag} be replaced where tags of this repository are immutable`
        : (error.hint ?? `check that ${tag} may be written in this repository`),
      cause: error,
    });
  }
}
