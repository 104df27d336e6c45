import { type Digest } from '../../core/digest.ts';
import type { Created, Descriptor, RawManifest } from '../types.ts';
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
/** With what a registry says that it looked at the condition of a PUT; without it, one may have stored without looking. */
export declare const CONDITION_HEADER = "envbuilder-condition";
/** Puts a manifest under a tag or its own digest. @throws AppError REGISTRY, AUTH */
export declare function putManifest(repository: Repository, bytes: Buffer, mediaType: string, tag?: string, signal?: AbortSignal): Promise<Descriptor>;
/** As Store.create: `If-None-Match: *` asks for a tag that is not there (RFC 9110, section 13.1.2). @throws AppError REGISTRY, AUTH */
export declare function createManifest(repository: Repository, bytes: Buffer, mediaType: string, tag: string, signal?: AbortSignal): Promise<Created>;
/** Deletes a manifest, and with it the tags that name it; false where the registry does not do that. @throws AppError REGISTRY, AUTH */
export declare function deleteManifest({ client, registry, repository }: Repository, digest: Digest, signal?: AbortSignal): Promise<boolean>;
