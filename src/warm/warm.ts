import { join } from 'node:path';
import { imageBlobs } from '../builder/publishing/layer-blobs.ts';
import { imageKey, type RegistryAccess } from '../builder/registry-access.ts';
import { findConverted, storeConverted } from '../cache/converted.ts';
import { mapLimit } from '../core/concurrency.ts';
import { hexOf } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { formatBytes } from '../core/units.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { createCompressPool } from '../layer/compress-pool.ts';
import { convertLayer } from '../layer/convert.ts';
import type { LayerBlob } from '../layer/types.ts';
import { cacheName } from '../oci/base-cache/base-cache.ts';
import { fileSource } from '../oci/blob-source.ts';
import { copyBlob } from '../oci/copy.ts';
import { resolveImage } from '../oci/image.ts';
import { createOciLayoutStore } from '../oci/oci-layout.ts';
import { parseReference, tagOrDigest } from '../oci/reference.ts';
import type { Descriptor, Image, Platform, RawManifest, Reference, Store } from '../oci/types.ts';
import { realPathOf, removePlain } from '../sys/plain.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { openWarmDirectory, type WarmDirectory } from './cache-dir.ts';
import { readDockerfile, visitImages } from './dockerfile-images.ts';
import { isFresh } from './freshness.ts';
import type { WarmedImage, WarmRequest } from './types.ts';
import { writeKaniko } from './write-kaniko.ts';

export interface WarmDeps {
  readonly registries: Pick<RegistryAccess, 'open' | 'download'>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Called as soon as an image is in the cache. */
  readonly onImage: (image: WarmedImage) => void;
}

const PARALLEL_BLOBS = 4;
/** Bytes: a smaller layer is unpacked before threads have started. */
const CONVERT_FROM = 1 << 20;
/** Bytes of a Dockerfile behind a URL. */
const MOST_DOCKERFILE = 4 * 1024 * 1024;

/**
 * Fetches images into a cache of base images. Readers may use it meanwhile: a file is there whole or not at all. An image
 * that fails does not stop the others.
 * @throws AppError of the first image that failed, after all were tried; OUTPUT when the directory cannot be used
 */
export async function warmCache(request: WarmRequest, deps: WarmDeps): Promise<void> {
  const { emit, signal } = deps;
  const directory = await openWarmDirectory(request.dir, {
    layout: request.layout !== 'kaniko',
    sys: createSyscalls(),
    signal,
    onWait: () =>
      emit({ type: 'message', level: 'info', text: `waiting for another process that fills ${request.dir}` }),
  });
  try {
    const warm = createWarmer(request, directory, deps);
    const failures: AppError[] = [];
    const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        signal.throwIfAborted();
        const known = toAppError(error, 'OUTPUT', `cannot fetch ${what}`);
        failures.push(known);
        emit({
          type: 'warning',
          code: known.code,
          text: `${what} is left out: ${known.message}`,
          ...(known.hint === undefined ? {} : { hint: known.hint }),
        });
      }
    };
    for (const name of request.images) await attempt(name, () => warm(name, request.platform));
    const { allowOutside = [], buildArgs, platform } = request;
    for (const path of request.dockerfiles) {
      await attempt(maskUrlCredentials(path), async () => {
        const isUrl = /^https?:\/\//i.test(path);
        const found = isUrl
          ? {
              path: maskUrlCredentials(path),
              content: await deps.registries.download(path, { limit: MOST_DOCKERFILE, signal }),
            }
          : readDockerfile(path, allowOutside);
        await visitImages(found, buildArgs, platform, warm);
      });
    }
    const [first] = failures;
    if (first === undefined) return;
    throw new AppError(first.code, `${failures.length} could not be fetched; first: ${first.message}`, {
      ...(first.hint === undefined ? {} : { hint: first.hint }),
      ...(first.where === undefined ? {} : { where: first.where }),
      cause: first,
    });
  } finally {
    directory.close();
  }
}

type Warmer = (name: string, platform: Platform) => Promise<Image>;

function createWarmer(request: WarmRequest, directory: WarmDirectory, deps: WarmDeps): Warmer {
  const { signal, emit, onImage } = deps;
  const layout = request.layout === 'kaniko' ? undefined : createOciLayoutStore(request.dir);
  const done = new Map<string, Promise<Image>>();

  const warm: Warmer = async (name, platform) => {
    const reference = parseReference(name);
    const remote = deps.registries.open(reference);
    const top = await remote.resolve(tagOrDigest(reference), signal);
    if (top === undefined) throw new AppError('REFERENCE', `there is no image ${name} in ${remote.name}`);
    const exact = { ...reference, digest: top.descriptor.digest };
    const image = await resolveImage(remembering(remote, top), exact, platform, signal);
    const { digest } = image.manifest.descriptor;
    const fresh = !request.force && (await isFresh(request, layout, image));
    if (!fresh) {
      const size = image.parsed.layers.reduce((sum, layer) => sum + layer.size, 0);
      emit({ type: 'message', level: 'info', text: `fetching ${name} (${formatBytes(size)})` });
      await store(image, reference, remote);
    }
    if (layout) {
      await nameIn(layout, reference, top, signal);
      if (request.convert) await convertLayers(image, layout);
    }
    onImage({ reference: name, digest, outcome: fresh ? 'present' : 'fetched' });
    return image;
  };
  const store = async (image: Image, reference: Reference, remote: Store): Promise<void> => {
    const scratch = directory.scratch();
    if (layout) {
      const blobs = [image.parsed.config, ...image.parsed.layers];
      await mapLimit(blobs, PARALLEL_BLOBS, async (blob) => {
        await removeDamaged(request.dir, layout, blob, signal);
        await copyBlob(remote, layout, blob, { signal });
      });
      await layout.tag(image.manifest.bytes, image.manifest.descriptor.mediaType, undefined, signal);
    }
    if (request.layout !== 'oci')
      await writeKaniko(request.dir, image, reference, { from: layout ?? remote, scratch, signal });
  };
  const convertLayers = async (image: Image, into: Store): Promise<void> => {
    for (const layer of imageBlobs({ ...image, store: into })) {
      if (layer.size < CONVERT_FROM) continue;
      const copy = await findConverted(into, layer, signal);
      if (copy && request.force) await removeDamaged(request.dir, into, copy, signal);
      if (copy && (await into.has(copy.digest)) !== undefined) continue;
      try {
        await convert(layer, join(directory.scratch(), 'layer'), into, deps);
      } catch (error) {
        signal.throwIfAborted();
        const { code, message } = toAppError(error, 'OUTPUT', 'it cannot be written');
        const text = `the layer ${layer.digest} gets no copy that is unpacked in parallel: ${message}`;
        emit({ type: 'warning', code, text });
      }
    }
  };
  return (name, platform) => {
    const key = imageKey(name, platform);
    const known = done.get(key);
    if (known !== undefined) return known;
    const made = warm(name, platform);
    done.set(key, made);
    return made;
  };
}

/** Gives a layer a copy in our own frames. */
async function convert(
  layer: LayerBlob,
  file: string,
  into: Store,
  { emit, signal }: WarmDeps,
): Promise<void> {
  const text = `converting the layer ${layer.digest} (${formatBytes(layer.size)})`;
  emit({ type: 'message', level: 'info', text });
  const pool = createCompressPool();
  try {
    const { digest, size, toc } = await convertLayer(layer, file, pool);
    // Whoever has more files than a table holds reads the layer as it is.
    if (!toc) return;
    const copy = { diffId: layer.diffId, digest, size, toc };
    await storeConverted(into, layer.digest, copy, fileSource(file, digest, size, true), signal);
  } finally {
    await pool.close();
  }
}

/** The same repository, without asking for a manifest twice. */
function remembering(store: Store, known: RawManifest): Store {
  return {
    ...store,
    resolve: async (name, signal) => (name === known.descriptor.digest ? known : store.resolve(name, signal)),
  };
}

/** Has a name mean what it means in the registry now. */
async function nameIn(
  layout: Store,
  reference: Reference,
  top: RawManifest,
  signal: AbortSignal,
): Promise<void> {
  const name = cacheName(reference);
  if ((await layout.resolve(name, signal))?.descriptor.digest === top.descriptor.digest) return;
  await layout.tag(top.bytes, top.descriptor.mediaType, name, signal);
}

/** Reads a blob that is there, and removes it when it is not what it should be. */
async function removeDamaged(
  dir: string,
  layout: Store,
  { digest }: Pick<Descriptor, 'digest'>,
  signal: AbortSignal,
): Promise<void> {
  if ((await layout.has(digest)) === undefined) return;
  try {
    for await (const _ of await layout.get(digest, undefined, signal));
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'CORRUPT') throw error;
    removePlain(join(realPathOf(dir), 'blobs/sha256', hexOf(digest)));
  }
}
