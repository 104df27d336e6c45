import type { RegistrySettings } from '../builder/types.ts';
import type { Store } from '../oci/types.ts';
import { type RunOptions } from './request.ts';
export type StoreLocation = {
    readonly type: 'memory';
}
/** A directory in the layout of CNCF Distribution; the repository is that of a layer cache when left out. */
 | {
    readonly type: 'directory';
    readonly path: string;
    readonly repository?: string;
} | {
    readonly type: 'registry';
    readonly reference: string;
    readonly registries?: Partial<RegistrySettings>;
};
/** A store, with the connections behind it. */
export interface OpenedStore extends AsyncDisposable {
    readonly store: Store;
    close(): Promise<void>;
}
/** Opens a store; nothing is asked of a registry yet. @throws AppError REFERENCE, CACHE_DIR */
export declare function open(location: StoreLocation, options: RunOptions): OpenedStore;
