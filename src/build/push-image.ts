import { mapLimit } from '../core/concurrency.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { copyBlob } from '../oci/copy.ts';
import { refusesManifest } from '../oci/http/errors.ts';
import { layerCompression, MEDIA_TYPES } from '../oci/media-types.ts';
import { parseReference } from '../oci/reference.ts';
import type { Store } from '../oci/types.ts';
import type { Plan } from '../plan/types.ts';
import type { Execution } from './execution.ts';
import { type AssembledImage, baseImage } from './image.ts';
import type { Session } from './session.ts';
import type { BuildRequest } from './types.ts';

const PARALLEL_COPIES = 4;

export interface PushableImage {
  readonly plan: Plan;
  readonly image: AssembledImage;
  readonly execution: Execution;
}

/**
 * Pushes the image to the cache's repository, and to the registry of every tag: layers, config, manifest, then the name.
 * Where there is no cache, the tags alone say where.
 * @throws AppError REGISTRY, AUTH, PUSH_FAILED; nothing is named before it is complete
 */
export async function pushImage(
  request: BuildRequest,
  session: Session,
  pushable: PushableImage,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const { ownStore } = session;
  if (!ownStore && request.tags.length === 0) {
    throw new AppError('USAGE', 'there is nowhere to push to', {
      hint: 'name a cache with --cache-repo, or a --tag',
    });
  }
  const digest = digestOf(pushable.image.manifest);
  if (ownStore) await pushTo(ownStore, session, pushable, `image-${hexOf(digest).slice(0, 40)}`, deps.signal);
  for (const tag of request.tags) {
    const reference = parseReference(tag);
    await pushTo(
      session.openRepository(reference),
      session,
      pushable,
      reference.tag ?? 'latest',
      deps.signal,
    );
  }
}

/**
 * Copies the layers of the target's base image to the cache's repository, where an image will want them.
 * @throws AppError REGISTRY, AUTH
 */
export async function pushBase(session: Session, plan: Plan, signal: AbortSignal): Promise<void> {
  if (session.ownStore) await copyBase(session.ownStore, session, plan, signal);
}

async function copyBase(store: Store, session: Session, plan: Plan, signal: AbortSignal): Promise<void> {
  const base = baseImage(plan, plan.stages.get(plan.target)!);
  if (!base) return;
  const mountFrom = session.sameRegistry(base.store, store);
  const options = { signal, ...(mountFrom ? { mountFrom } : {}) };
  await mapLimit(base.parsed.layers, PARALLEL_COPIES, (layer) => copyBlob(base.store, store, layer, options));
}

async function pushTo(
  store: Store,
  session: Session,
  { plan, image, execution }: PushableImage,
  tag: string,
  signal: AbortSignal,
): Promise<void> {
  const own = image.layers.slice(image.baseLayers.length);
  const [present] = await Promise.all([
    // Where tags are immutable, even the same manifest may not be put again.
    store.resolve(tag, signal),
    store.put(bytesSource(image.config), signal),
    copyBase(store, session, plan, signal),
    mapLimit(own, PARALLEL_COPIES, async (layer) => {
      const runtime = image.runtime?.layers.find((one) => one.layer.digest === layer.digest);
      return store.put(runtime ? runtime.source(session) : await execution.source(layer, store), signal);
    }),
  ]);
  if (present?.descriptor.digest === digestOf(image.manifest)) return;
  try {
    await store.tag(image.manifest, MEDIA_TYPES.ociManifest, tag, signal);
  } catch (error) {
    const zstd = image.layers.some(({ mediaType }) => layerCompression(mediaType) === 'zstd');
    if (!zstd || !(error instanceof AppError) || !refusesManifest(error)) throw error;
    throw new AppError(error.code, error.message, {
      hint: 'if the registry does not know zstd, build with --compression gzip',
      cause: error,
    });
  }
}
