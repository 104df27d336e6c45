import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { RegistryClient } from '../oci/http/types.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
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
    /** Reads a blob from its registry from now on; whether it came from the directory before. */
    leaveOut(digest: Digest): boolean;
}
/**
 * Resolves images with a directory of base images in front of their registries. A digest that is there whole needs no
 * network; of a tag the registry is asked for the digest alone. Where it cannot be reached, the tag is what it was when
 * the directory was filled, with a warning, unless the settings forbid it.
 */
export declare function createCachedBases(baseImages: RegistrySettings['baseImages'], { client, open, isMirrored, emit }: CachedBasesDeps): CachedBases;
