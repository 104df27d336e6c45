import { once } from '../core/concurrency.ts';
import type { Digest } from '../core/digest.ts';
import type { Emit } from '../core/events.ts';
import { type RetryPolicy, retry } from '../core/retry.ts';
import type { LayerBlob } from '../layer/types.ts';
import { createCredentials } from '../oci/docker-config.ts';
import { createRegistryClient } from '../oci/http/client.ts';
import { type DownloadOptions, downloadFile } from '../oci/http/download.ts';
import { answerOf } from '../oci/http/errors.ts';
import { createMirrorCopies } from '../oci/http/mirrors.ts';
import { createTransport, type Transport } from '../oci/http/transport.ts';
import type { CredentialSource, RegistryClient } from '../oci/http/types.ts';
import { formatPlatform } from '../oci/platform.ts';
import { DOCKER_HUB, parseReference } from '../oci/reference.ts';
import { createRemoteStore } from '../oci/remote-store.ts';
import type { Image, Platform, Reference, Store } from '../oci/types.ts';
import { createCachedBases } from './cached-bases.ts';
import type { RegistrySettings } from './types.ts';

/** Registries with one set of connections, credentials and mirrors. */
export interface RegistryAccess {
  readonly client: RegistryClient;
  /** The repository of a reference; nothing is asked of the registry yet. */
  open(reference: Reference): Store;
  /**
   * The same, without mirrors, for what a build can do without: a request is tried again only where the registry answers that
   * it failed itself, and soon. Distribution does while a tag is written that is read.
   */
  openHasty(reference: Reference): Store;
  /** @throws AppError REFERENCE, REGISTRY, AUTH, CORRUPT */
  resolveImage(name: string, platform: Platform, signal?: AbortSignal): Promise<Image>;
  /** Connections to any other server, through the same proxies. */
  transport(): Transport;
  /**
   * A small file behind any URL, through the same proxies.
   * @throws AppError REGISTRY, AUTH, REFERENCE
   */
  download(
    url: string,
    options: Pick<DownloadOptions, 'limit' | 'headers'> & { readonly signal: AbortSignal },
  ): Promise<Buffer>;
  /** Whether a layer of a base image is read from the directory of base images. */
  holdsBase(digest: Digest): boolean;
  /** A layer as it is best unpacked: the directory of base images may hold a copy of it in our own frames. */
  toUnpack(layer: LayerBlob): Promise<LayerBlob>;
  /**
   * Reads a layer of a base image from its own registry from now on; whether it came from the directory of base images or
   * from a mirror until now.
   */
  leaveOutBase(digest: Digest): boolean;
  close(): Promise<void>;
}

const HASTY: RetryPolicy = { attempts: 4, baseDelayMs: 50, maxDelayMs: 200 };

/** What an image is remembered by: its name as it was written, and the platform that it is for. */
export function imageKey(name: string, platform: Platform): string {
  return `${name} ${formatPlatform(platform)}`;
}

/** Opens registries as the settings say, with these credentials or those of the settings; close it when done. */
export function openRegistries(
  settings: RegistrySettings,
  deps: { readonly emit: Emit; readonly credentials?: CredentialSource },
): RegistryAccess {
  const { insecure } = settings;
  const { emit } = deps;
  const connection = {
    proxy: settings.proxy,
    insecure,
    insecureHosts: settings.insecureRegistries ?? [],
    certsDirs: settings.certsDirs ?? [],
    hostFiles: settings.hostFiles ?? [],
    ...(settings.extraCaPem === undefined ? {} : { extraCaPem: settings.extraCaPem }),
  };
  const client = createRegistryClient({
    ...connection,
    emit,
    credentials:
      deps.credentials ??
      createCredentials({
        ...(settings.dockerConfigJson === undefined ? {} : { configJson: settings.dockerConfigJson }),
        configPaths: settings.dockerConfigPaths,
        env: settings.helperEnv,
        emit,
      }),
  });
  let opened = false;
  const transport = once(() => {
    opened = true;
    return createTransport(connection);
  });
  const copies = createMirrorCopies();
  const { onlyMirrors = false } = settings;
  const open = ({ registry, repository }: Reference): Store =>
    createRemoteStore({
      client,
      registry,
      repository,
      mirrors: mirrorsOf(settings, registry),
      onlyMirrors,
      copies,
    });
  const hasty = hastyClient(client);
  const bases = createCachedBases(settings.baseImages, {
    client,
    open,
    isMirrored: (registry) => mirrorsOf(settings, registry).length > 0,
    emit,
  });
  return {
    client,
    open,
    openHasty: ({ registry, repository }) => createRemoteStore({ client: hasty, registry, repository }),
    resolveImage: async (name, platform, signal) => bases.resolve(parseReference(name), platform, signal),
    holdsBase: bases.holds,
    toUnpack: bases.toUnpack,
    leaveOutBase: (digest) => bases.leaveOut(digest) || copies.leaveOut(digest),
    transport,
    download: (url, options) => downloadFile(transport(), url, { ...options, insecure, emit }),
    close: async () => {
      if (opened) await transport().close();
      await client.close();
    },
  };
}

function hastyClient(client: RegistryClient): RegistryClient {
  const delayFor = (error: unknown, suggestedMs: number): number | undefined =>
    (answerOf(error)?.status ?? 0) >= 500 ? client.delayFor(error, suggestedMs) : undefined;
  return {
    ...client,
    policy: HASTY,
    delayFor,
    request: (registry, { attempts = HASTY.attempts, ...wanted }) => {
      const hooks = { delayFor, ...(wanted.signal === undefined ? {} : { signal: wanted.signal }) };
      return retry({ ...HASTY, attempts }, hooks, () => client.request(registry, { ...wanted, attempts: 1 }));
    },
  };
}

function mirrorsOf({ mirrors, mirrorMap }: RegistrySettings, registry: string): readonly string[] {
  const mapped = (mirrorMap ?? []).filter((entry) => entry.registry === registry).map(({ mirror }) => mirror);
  return registry === DOCKER_HUB ? [...mirrors, ...mapped] : mapped;
}
