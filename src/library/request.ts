import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { BuildRequest, RegistrySettings } from '../builder/types.ts';
import type { Event } from '../core/events.ts';
import { given } from '../core/given.ts';
import type { BuildObserver } from '../core/observer.ts';
import { userCacheDir } from '../core/user-cache-dir.ts';

/** A map, or an object that stands for one. */
export type Mapping<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>>;

type Mapped = 'contexts' | 'labels' | 'buildArgs';

/** What is built. Only the context is needed; everything else is a field of BuildRequest, and has the default named here. */
export interface BuildOptions extends Partial<Omit<BuildRequest, Mapped | 'context' | 'registries'>> {
  /** The context directory; a relative path is taken from the current directory. */
  readonly context: string;
  readonly contexts?: Mapping<BuildRequest['contexts'] extends ReadonlyMap<string, infer T> ? T : never>;
  readonly labels?: Mapping<string>;
  readonly buildArgs?: Mapping<string>;
  readonly registries?: Partial<RegistrySettings>;
}

/** What every function of the library takes besides its request. */
export interface RunOptions {
  /** Called for all that happens, as it happens; must not throw. */
  readonly onEvent?: (event: Event) => void;
  /** Is told what a build consists of, which takes time and memory that is spent only then. */
  readonly observer?: BuildObserver;
  /** Ends the work: it rejects with AppError ABORTED or the signal's reason, and removes what is half done. */
  readonly signal?: AbortSignal;
}

/** The listener and the signal, made up where they are left out. @throws the reason of a signal that has been given */
export function runDeps({
  onEvent = () => {},
  signal = new AbortController().signal,
  observer,
}: RunOptions): {
  readonly emit: (event: Event) => void;
  readonly signal: AbortSignal;
  readonly observer?: BuildObserver;
} {
  signal.throwIfAborted();
  return { emit: onEvent, signal, ...(observer === undefined ? {} : { observer }) };
}

/**
 * A whole request: the Dockerfile of the context, no outputs, nothing pushed, records of the last 7 days, half an hour for another build of a step, layers in zstd,
 * working files and cache mounts below `~/.cache/envbuilder`, registries with the credentials of Docker's own config.
 * Nothing is read from the environment but HOME, PATH and XDG_CACHE_HOME.
 */
export function buildRequest(options: BuildOptions): BuildRequest {
  const { contexts = {}, labels = {}, buildArgs = {}, registries = {}, ...rest } = options;
  const context = resolve(options.context);
  return {
    secrets: [],
    ssh: [],
    tags: [],
    cacheTtlDays: 7,
    cacheWaitMs: 1_800_000,
    noCache: false,
    push: false,
    failOnPushError: false,
    outputs: [],
    compression: 'zstd',
    workDir: join(userCacheDir(process.env), 'work'),
    stateDir: defaultStateDir(),
    proxyEnv: {},
    ...rest,
    context,
    dockerfile: dockerfileOf(context, options),
    contexts: mapOf(contexts),
    labels: mapOf(labels),
    buildArgs: mapOf(buildArgs),
    registries: registrySettings(registries),
  };
}

/** In a context that is fetched its place is known later. */
function dockerfileOf(context: string, { contextSource, dockerfile = 'Dockerfile' }: BuildOptions): string {
  return contextSource ? dockerfile : resolve(context, dockerfile);
}

/** Settings with Docker's own places for credentials and certificates where nothing else is named. */
export function registrySettings(settings: Partial<RegistrySettings> = {}): RegistrySettings {
  const home = process.env.HOME || homedir();
  return {
    insecure: false,
    mirrors: [],
    certsDirs: ['/etc/docker/certs.d'],
    dockerConfigPaths: [join(home, '.docker', 'config.json')],
    helperEnv: given<Record<string, string>>({ HOME: home, PATH: process.env.PATH }),
    proxy: {},
    ...settings,
  };
}

/** Where cache mounts and hashes of files are kept unless another directory is named. */
export function defaultStateDir(): string {
  return join(userCacheDir(process.env), 'state');
}

function mapOf<T>(mapping: Mapping<T>): ReadonlyMap<string, T> {
  return mapping instanceof Map ? mapping : new Map(Object.entries(mapping));
}
