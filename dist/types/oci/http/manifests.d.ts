import type { Descriptor, RawManifest } from '../types.ts';
import type { RegistryClient } from './types.ts';
/** A repository of a registry, and the client to call it with. */
export interface Repository {
    readonly client: RegistryClient;
    readonly registry: string;
    readonly repository: string;
}
/** The manifest or index under a tag or digest, verified; undefined when there is none. @throws AppError REGISTRY, AUTH, CORRUPT */
export declare function getManifest(repository: Repository, tagOrDigest: string, signal?: AbortSignal): Promise<RawManifest | undefined>;
/**
 * The descriptor of a manifest or index by HEAD, which most registries do not count as a pull; undefined when there is
 * none. What it says is not verified.
 * @throws AppError REGISTRY, AUTH
 */
export declare function headManifest(repository: Repository, tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined>;
/** Puts a manifest under a tag or its own digest. @throws AppError REGISTRY, AUTH */
export declare function putManifest({ client, registry, repository }: Repository, bytes: Buffer, mediaType: string, tag?: string, signal?: AbortSignal): Promise<Descriptor>;
