import { openRegistries } from '../builder/registry-access.ts';
import type { RegistrySettings } from '../builder/types.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { createMemoryStore } from '../oci/memory-store.ts';
import { parseReference } from '../oci/reference.ts';
import type { Store } from '../oci/types.ts';
import { type RunOptions, registrySettings, runDeps } from './request.ts';

export type StoreLocation =
  | { readonly type: 'memory' }
  /** A directory in the layout of CNCF Distribution; the repository is that of a layer cache when left out. */
  | { readonly type: 'directory'; readonly path: string; readonly repository?: string }
  | {
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
export function open(location: StoreLocation, options: RunOptions): OpenedStore {
  if (location.type === 'memory') return opened(createMemoryStore(), async () => {});
  if (location.type === 'directory') {
    const { path, repository = 'local/cache' } = location;
    return opened(createDirectoryStore({ root: path, repository }), async () => {});
  }
  const reference = parseReference(location.reference);
  const registries = openRegistries(registrySettings(location.registries), runDeps(options));
  return opened(registries.open(reference), registries.close);
}

function opened(store: Store, close: () => Promise<void>): OpenedStore {
  return { store, close, [Symbol.asyncDispose]: close };
}
