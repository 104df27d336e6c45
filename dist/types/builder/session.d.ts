import type { LookupOptions } from '../cache/lookup.ts';
import { type Trust } from '../cache/trust.ts';
import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { type CompressPool } from '../layer/compress-pool.ts';
import type { LayerBlob } from '../layer/types.ts';
import type { BlobSource, Descriptor, Image, Platform, Reference, Store } from '../oci/types.ts';
import type { ExtractRequest, ExtractResult } from '../rootfs/types.ts';
import type { Syscalls } from '../sys/types.ts';
import type { BuildRequest } from './types.ts';
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
export declare function createSession(request: BuildRequest, deps: {
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Session;
