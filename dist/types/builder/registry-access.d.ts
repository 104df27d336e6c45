import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import type { RegistryClient } from '../oci/http/types.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
import type { RegistrySettings } from './types.ts';
/** Registries with one set of connections, credentials and mirrors. */
export interface RegistryAccess {
    readonly client: RegistryClient;
    /** The repository of a reference; nothing is asked of the registry yet. */
    open(reference: Reference): Store;
    /** @throws AppError REFERENCE, REGISTRY, AUTH, CORRUPT */
    resolveImage(name: string, platform: Platform, signal?: AbortSignal): Promise<Image>;
    /**
     * A small file behind any URL, through the same proxies.
     * @throws AppError REGISTRY, AUTH, REFERENCE
     */
    download(url: string, options: {
        readonly limit: number;
        readonly signal: AbortSignal;
    }): Promise<Buffer>;
    /** Reads a layer of a base image from its registry from now on; whether it came from the directory of base images. */
    leaveOutBase(digest: Digest): boolean;
    close(): Promise<void>;
}
/** What an image is remembered by: its name as it was written, and the platform that it is for. */
export declare function imageKey(name: string, platform: Platform): string;
/** Opens registries as the settings say; close it when done. */
export declare function openRegistries(settings: RegistrySettings, deps: {
    readonly emit: Emit;
}): RegistryAccess;
