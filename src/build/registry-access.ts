import type { Emit } from '../core/events.ts';
import { createCredentials } from '../oci/docker-config.ts';
import { createRegistryClient } from '../oci/http/client.ts';
import type { RegistryClient } from '../oci/http/types.ts';
import { resolveImage } from '../oci/image.ts';
import { parseReference } from '../oci/reference.ts';
import { createRemoteStore } from '../oci/remote-store.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
import type { RegistrySettings } from './types.ts';

/** Registries with one set of connections, credentials and mirrors. */
export interface RegistryAccess {
  readonly client: RegistryClient;
  /** The repository of a reference; nothing is asked of the registry yet. */
  open(reference: Reference): Store;
  /** @throws AppError REFERENCE, REGISTRY, AUTH, CORRUPT */
  resolveImage(name: string, platform: Platform, signal?: AbortSignal): Promise<Image>;
  close(): Promise<void>;
}

/** Opens registries as the settings say; close it when done. */
export function openRegistries(settings: RegistrySettings, deps: { readonly emit: Emit }): RegistryAccess {
  const client = createRegistryClient({
    proxy: settings.proxy,
    insecure: settings.insecure,
    emit: deps.emit,
    credentials: createCredentials({
      ...(settings.dockerConfigJson === undefined ? {} : { configJson: settings.dockerConfigJson }),
      configPaths: settings.dockerConfigPaths,
      env: settings.helperEnv,
      emit: deps.emit,
    }),
    ...(settings.extraCaPem === undefined ? {} : { extraCaPem: settings.extraCaPem }),
  });
  const open = ({ registry, repository }: Reference): Store =>
    createRemoteStore({ client, registry, repository, mirrors: settings.mirrors });
  return {
    client,
    open,
    resolveImage: async (name, platform, signal) => {
      const reference = parseReference(name);
      return resolveImage(open(reference), reference, platform, signal);
    },
    close: () => client.close(),
  };
}
