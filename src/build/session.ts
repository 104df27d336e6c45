import { createCollector } from '../core/collect.ts';
import { once } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { type CompressPool, createCompressPool } from '../layer/compress-pool.ts';
import type { LayerBlob } from '../layer/types.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { parseReference } from '../oci/reference.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
import { extractLayers } from '../rootfs/extract.ts';
import type { ExtractRequest, ExtractResult } from '../rootfs/types.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import type { Syscalls } from '../sys/types.ts';
import { storeBlob } from './layer-blobs.ts';
import { imageKey, openRegistries } from './registry-access.ts';
import type { BuildRequest } from './types.ts';
import { createWorkDir, type WorkDir } from './work-dir.ts';

/** The repository inside a layer cache directory. */
const DIRECTORY_REPOSITORY = 'local/cache';

/** What a build or a probe shares: connections, stores, workers, and a working directory of its own. */
export interface Session {
  readonly cacheStore: Store | undefined;
  /** `host/repository` of the cache, without a tag; undefined without a cache. */
  readonly repositoryName: string | undefined;
  /** A new directory of this build alone; removed by close. */
  readonly workDir: () => string;
  readonly syscalls: () => Syscalls;
  readonly pool: () => CompressPool;
  readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
  resolveImage(reference: string, platform: Platform): Promise<Image>;
  openRepository(reference: Reference): Store;
  /** As RegistryAccess.leaveOutBase. */
  leaveOutBase(digest: Digest): boolean;
  /** The repository of `from` when both stores are repositories of one registry, so that blobs can be mounted. */
  sameRegistry(from: Store, to: Store): string | undefined;
  /** The same layer, read from the cache where that holds it. */
  preferCache(layer: LayerBlob): LayerBlob;
  close(): Promise<void>;
}

/**
 * Opens what a request needs; nothing is asked of any registry yet, and nothing is written before workDir is called.
 * @throws AppError REFERENCE, CACHE_DIR
 */
export function createSession(
  request: BuildRequest,
  deps: { readonly emit: Emit; readonly signal: AbortSignal },
): Session {
  const collect = createCollector();
  const registries = openRegistries(request.registries, {
    emit: (event) => {
      if (event.type === 'transfer') collect(event.bytes);
      deps.emit(event);
    },
  });
  const repositories = new Map<Store, Reference>();
  const openRepository = (reference: Reference): Store => {
    const store = registries.open(reference);
    repositories.set(store, reference);
    return store;
  };
  const { cacheStore, repositoryName } = openCache(request, openRepository);
  let madeDir: WorkDir | undefined;
  let pool: CompressPool | undefined;
  const syscalls = once(createSyscalls);
  return {
    cacheStore,
    repositoryName,
    openRepository,
    leaveOutBase: registries.leaveOutBase,
    workDir: once(() => {
      madeDir = createWorkDir(request.workDir, syscalls);
      return madeDir.path;
    }),
    syscalls,
    extract: (layers) => extractLayers(layers, { sys: syscalls() }),
    pool: once(() => {
      pool = createCompressPool();
      return pool;
    }),
    resolveImage: async (reference, platform) => {
      const known = request.resolvedImages?.get(imageKey(reference, platform));
      const image = known
        ? { ...known, store: registries.open(parseReference(reference)) }
        : await registries.resolveImage(reference, platform, deps.signal);
      repositories.set(image.store, parseReference(reference));
      return image;
    },
    sameRegistry: (from, to) => {
      const [a, b] = [repositories.get(from), repositories.get(to)];
      return a && b && a.registry === b.registry && a.repository !== b.repository ? a.repository : undefined;
    },
    preferCache: (layer) => (cacheStore ? preferStore(cacheStore, layer) : layer),
    close: async () => {
      await pool?.close();
      await registries.close();
      madeDir?.close();
    },
  };
}

function openCache(
  { cache }: BuildRequest,
  openRepository: (reference: Reference) => Store,
): Pick<Session, 'cacheStore' | 'repositoryName'> {
  if (!cache) return { cacheStore: undefined, repositoryName: undefined };
  if (cache.type === 'directory') {
    const store = createDirectoryStore({ root: cache.path, repository: DIRECTORY_REPOSITORY });
    return { cacheStore: store, repositoryName: DIRECTORY_REPOSITORY };
  }
  const reference = parseReference(cache.reference);
  return {
    cacheStore: openRepository(reference),
    repositoryName: `${reference.registry}/${reference.repository}`,
  };
}

function preferStore(store: Store, layer: LayerBlob): LayerBlob {
  // A cache that cannot be asked costs nothing but its warnings: the layer has another place.
  const chosen = once(async () => {
    const size = await store.has(layer.digest).catch(() => undefined);
    return size === layer.size ? storeBlob(store, layer) : layer;
  });
  return {
    ...layer,
    open: async () => (await chosen()).open(),
    readRange: async (offset, length) => (await chosen()).readRange(offset, length),
  };
}
