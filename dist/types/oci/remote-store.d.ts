import { type Repository } from './http/manifests.ts';
import type { Store } from './types.ts';
export interface RemoteStoreOptions extends Repository {
    /** Mirrors of the registry, as `host[:port][/prefix]`: read from in order, before the registry itself. */
    readonly mirrors?: readonly string[];
}
/**
 * A repository of a registry (OCI distribution spec v1.1). Nothing is asked before the first call.
 * @param options.registry the host to call, `docker.io` for Docker Hub
 */
export declare function createRemoteStore({ mirrors, ...target }: RemoteStoreOptions): Store;
