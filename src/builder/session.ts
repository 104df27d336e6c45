import { createLayeredStore, createReadOnlyStore } from '../cache/layered-store.ts';
import { createLeases, type Leases } from '../cache/leases.ts';
import type { LookupOptions } from '../cache/lookup.ts';
import { createTrust, type Trust } from '../cache/trust.ts';
import type { SourceAccess } from '../context/source-access.ts';
import { createCollector } from '../core/collect.ts';
import { once } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { NETWORK_LIMITS } from '../core/network-limits.ts';
import { type CompressPool, createCompressPool } from '../layer/compress-pool.ts';
import type { LayerBlob } from '../layer/types.ts';
import { storeSource } from '../oci/blob-source.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import type { Transport } from '../oci/http/transport.ts';
import { parseReference } from '../oci/reference.ts';
import type { BlobSource, Descriptor, Image, Platform, Reference, Store } from '../oci/types.ts';
import type { LayoutContext } from '../plan/inputs.ts';
import { extractLayers } from '../rootfs/extract/extract.ts';
import type { ExtractRequest, ExtractResult } from '../rootfs/types.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import type { Syscalls } from '../sys/types.ts';
import { resolveLayout } from './layout-image.ts';
import { storeBlob } from './publishing/layer-blobs.ts';
import { imageKey, openRegistries } from './registry-access.ts';
import type { BuildRequest } from './types.ts';
import { startSweep } from './work-dir/start-sweep.ts';
import { createWorkDir, type WorkDir } from './work-dir/work-dir.ts';

/** The repository inside a layer cache directory. */
const DIRECTORY_REPOSITORY = 'local/cache';

/** A repository of the cache. */
export interface CacheRepository {
  readonly store: Store;
  /** `host/repository`. */
  readonly name: string;
}

/** What a build or a probe shares: connections, stores, workers, and a working directory of its own. */
export interface Session {
  /** Everything that is cached, as one; undefined without a cache. Written to is `ownStore` alone. */
  readonly cacheStore: Store | undefined;
  readonly ownStore: Store | undefined;
  /** The same repository, as RegistryAccess.openHasty has it. */
  readonly hastyStore: Store | undefined;
  /** With which builds that share the own cache wait for each other; undefined where they do not. */
  readonly leases: Leases | undefined;
  /** `host/repository` of the own cache, without a tag; undefined without one. */
  readonly repositoryName: string | undefined;
  /** Every repository of the cache in the order of their records, with its name as in an image's reference. */
  readonly repositories: readonly CacheRepository[];
  readonly trust: Trust;
  /** How records are looked up; undefined when none are. */
  readonly lookup: LookupOptions | undefined;
  /** A cached layer as something to put into another store; mounted where both are of one registry. */
  cachedSource(layer: Pick<Descriptor, 'digest' | 'size'>, to: Store): Promise<BlobSource>;
  /** A new directory of this build alone; removed by close. */
  readonly workDir: () => string;
  readonly syscalls: () => Syscalls;
  readonly pool: () => CompressPool;
  readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
  resolveImage(reference: string, platform: Platform): Promise<Image>;
  /** @throws AppError CONTEXT where there is no layout, REFERENCE where it has no such image; CORRUPT */
  resolveLayout(layout: LayoutContext, platform: Platform): Promise<Image>;
  openRepository(reference: Reference): Store;
  /** The commits that were checked out as contexts, by the URLs that named them. */
  readonly commits: Map<string, string>;
  /** What the sources of ADD are fetched with. */
  readonly sources: SourceAccess;
  /** Whether a layer is one of a base image that was resolved. */
  isBaseLayer(digest: Digest): boolean;
  /** As RegistryAccess.leaveOutBase. */
  leaveOutBase(digest: Digest): boolean;
  /** The repository of `from` when both stores are repositories of one registry, so that blobs can be mounted. */
  sameRegistry(from: Store, to: Store): string | undefined;
  /**
   * The same layer, read from the directory of base images where that holds it, else from the cache where that does.
   * @param taken called when it is read from the cache
   */
  preferCache(layer: LayerBlob, taken: () => void): LayerBlob;
  close(): Promise<void>;
}

/**
 * Opens what a request needs; nothing is asked of any registry yet, and nothing is written before workDir is called.
 * @throws AppError REFERENCE, CACHE_DIR
 */
export function createSession(
  request: BuildRequest,
  deps: { readonly emit: Emit; readonly signal: AbortSignal; readonly seen?: ExtractRequest['seen'] },
): Session {
  const collect = createCollector();
  const registries = openRegistries(request.registries, {
    emit: (event) => {
      if (event.type === 'transfer') collect(event.bytes);
      deps.emit(event);
    },
  });
  const repositories = new Map<Store, Reference>();
  const baseLayers = new Set<Digest>();
  const openRepository = (reference: Reference): Store => {
    const store = registries.open(reference);
    repositories.set(store, reference);
    return store;
  };
  const own = openCache(request, openRepository);
  const trusted = (request.trustedCaches ?? []).map((name): CacheRepository => {
    const one = remoteCache(name, openRepository);
    const store = createReadOnlyStore(one.store, deps);
    repositories.set(store, repositories.get(one.store)!);
    return { ...one, store };
  });
  const all = [...trusted, ...(own ? [own] : [])];
  const layered = trusted.length > 0 ? createLayeredStore(all.map(({ store }) => store)) : undefined;
  const cacheStore = layered ?? own?.store;
  const trust = createTrust(request.trust, deps);
  const hasty = own && hastyStore(request, own, registries.openHasty);
  const leases = hasty && openLeases(request, hasty, deps);
  let madeDir: WorkDir | undefined;
  let pool: CompressPool | undefined;
  const syscalls = sharedSyscalls;
  const sameRegistry = (from: Store, to: Store): string | undefined => {
    const [a, b] = [repositories.get(from), repositories.get(to)];
    return a && b && a.registry === b.registry && a.repository !== b.repository ? a.repository : undefined;
  };
  return {
    cacheStore,
    ownStore: own?.store,
    hastyStore: hasty,
    leases,
    repositoryName: own?.name,
    repositories: all,
    trust,
    lookup:
      all.length === 0 || request.noCache
        ? undefined
        : {
            stores: all.map(({ store }) => store),
            trust,
            ttlMs: request.cacheTtlDays * 86_400_000,
            now: Date.now(),
            refused: new Map(),
            ...deps,
          },
    cachedSource: async (layer, to) => {
      const from = (await layered?.locate(layer.digest, deps.signal)) ?? cacheStore;
      if (!from) throw new AppError('INTERNAL', `layer ${layer.digest} is in no store`);
      const mountFrom = sameRegistry(from, to);
      return storeSource(from, layer, { ...(mountFrom ? { mountFrom } : {}), signal: deps.signal });
    },
    openRepository,
    commits: new Map(),
    sources: sourceAccess(request, registries.transport),
    isBaseLayer: (digest) => baseLayers.has(digest),
    leaveOutBase: registries.leaveOutBase,
    workDir: once(() => {
      madeDir = createWorkDir(request.workDir, {
        syscalls,
        ...(mayLeave(request) ? { sweep: startSweep } : {}),
      });
      return madeDir.path;
    }),
    syscalls,
    extract: async (request) => {
      const layers = await Promise.all(request.layers.map(registries.toUnpack));
      const seen = deps.seen ? { seen: deps.seen } : {};
      return extractLayers({ ...request, ...seen, layers }, { sys: syscalls() });
    },
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
      for (const { digest } of image.parsed.layers) baseLayers.add(digest);
      return image;
    },
    resolveLayout: async (layout, platform) => {
      const image = await resolveLayout(layout, platform, deps.signal);
      for (const { digest } of image.parsed.layers) baseLayers.add(digest);
      return image;
    },
    sameRegistry,
    preferCache: (layer, taken) =>
      cacheStore && !registries.holdsBase(layer.digest) ? preferStore(cacheStore, layer, taken) : layer,
    close: async () => {
      await leases?.close();
      await pool?.close();
      await registries.close();
      madeDir?.close();
    },
  };
}

/**
 * Whether a process of ours may outlive this one: a container ends with its process 1, and where that becomes the user's
 * command, it would have a child that it does not know.
 */
function mayLeave({ backend }: BuildRequest): boolean {
  return backend?.kind !== 'inplace' && process.pid !== 1;
}

function openCache(
  { cache }: BuildRequest,
  openRepository: (reference: Reference) => Store,
): CacheRepository | undefined {
  if (!cache) return undefined;
  if (cache.type === 'store') return { store: cache.store, name: cache.store.name };
  if (cache.type === 'directory') {
    const store = createDirectoryStore({ root: cache.path, repository: DIRECTORY_REPOSITORY });
    return { store, name: DIRECTORY_REPOSITORY };
  }
  return remoteCache(cache.reference, openRepository);
}

/** Undefined where nothing is looked up, or where that is turned off. */
function openLeases(
  { cache, cacheWaitMs, noCache }: BuildRequest,
  store: Store,
  { emit }: { readonly emit: Emit },
): Leases | undefined {
  if (noCache || cacheWaitMs <= 0) return undefined;
  return createLeases({
    store,
    endsWithRecord: () => cache?.type === 'registry' && store.creates?.() === true,
    onOff: (reason) => {
      const text = `builds of the same steps do not wait for each other in ${store.name}: ${reason}`;
      emit({ type: 'message', level: 'debug', text });
    },
  });
}

function hastyStore(
  { cache }: BuildRequest,
  { store }: CacheRepository,
  open: (reference: Reference) => Store,
): Store {
  return cache?.type === 'registry' ? open(parseReference(cache.reference)) : store;
}

function remoteCache(name: string, openRepository: (reference: Reference) => Store): CacheRepository {
  const reference = parseReference(name);
  return { store: openRepository(reference), name: `${reference.registry}/${reference.repository}` };
}

/** What a build was given for the sources of ADD. */
function sourceAccess({ secrets, ssh, registries }: BuildRequest, transport: () => Transport): SourceAccess {
  const agent = ssh.find(({ id }) => id === 'default')?.socket;
  const { proxy, insecure, extraCaPem, helperEnv } = registries;
  return {
    secret: async (id) => secrets.find((secret) => secret.id === id)?.value(),
    ...(agent === undefined ? {} : { agent }),
    path: helperEnv.PATH ?? '',
    network: { proxy, insecure, ...(extraCaPem === undefined ? {} : { extraCaPem }) },
    transport,
    limits: NETWORK_LIMITS,
  };
}

function preferStore(store: Store, layer: LayerBlob, taken: () => void): LayerBlob {
  // A cache that cannot be asked costs nothing but its warnings: the layer has another place.
  const chosen = once(async () => {
    const size = await store.has(layer.digest).catch(() => undefined);
    if (size !== layer.size) return layer;
    taken();
    return storeBlob(store, layer);
  });
  return {
    ...layer,
    open: async () => (await chosen()).open(),
    readRange: async (offset, length, into) => (await chosen()).readRange(offset, length, into),
  };
}
