/**
 * The library. What stands here follows semantic versioning, and the command line uses nothing else. Importing it loads
 * next to nothing; each function loads what it needs when it is called for the first time.
 * @module
 */
import type { DescribedDockerfile, DockerfileCheck, TargetDescription } from './builder/describe.ts';
import type {
  BuildResult,
  Explanation,
  IndexResult,
  ProbeResult,
  RegistrySettings,
} from './builder/types.ts';
import type { Configuration, ReadConfigurationRequest } from './devcontainer/read-configuration.ts';
import type { BuildDefinition, DefinitionRequest } from './devcontainer/types.ts';
import type { ImageDiff } from './inventory/types.ts';
import type { DiffOptions, ImageLocation, MakeIndexRequest } from './library/images.ts';
import type { LoggedIn, LogInRequest, LogOutRequest } from './library/login.ts';
import type { PlanSummary } from './library/plan-summary.ts';
import type { ServeOptions } from './library/registry.ts';
import {
  type BuildOptions,
  buildRequest,
  defaultStateDir,
  type RunOptions,
  registrySettings,
  runDeps,
} from './library/request.ts';
import type { OpenedStore, StoreLocation } from './library/stores.ts';
import { defaultPlatform } from './oci/platform.ts';
import type { Platform, Store } from './oci/types.ts';
import type { Outline } from './plan/outline.ts';
import type { CheckRequest, CheckResult } from './registry/check.ts';
import type { CollectRequest, CollectResult } from './registry/gc.ts';
import type { RegistryServer } from './registry/server.ts';
import type { WarmedImage, WarmRequest } from './warm/types.ts';

export type {
  CheckWarning,
  DescribedDockerfile,
  DockerfileCheck,
  TargetDescription,
} from './builder/describe.ts';
export type { RuntimeLayer, RuntimeSpec } from './builder/publishing/runtime.ts';
export type * from './builder/types.ts';
export { readSigningKey, readTrustedKeys, type SigningKey, type TrustedKey } from './cache/signature.ts';
export type { TrustSettings } from './cache/trust.ts';
export { isGitUrl as isGitContext } from './context/add-git.ts';
export { gitProgram } from './context/git/git-program.ts';
export { type GitUrl, parseGitUrl } from './context/git/git-url.ts';
export { AppError, type ErrorCode, EXIT_CODES, type SourceRange, type Where } from './core/error.ts';
export type { Emit, Event, Phase, StepId } from './core/events.ts';
export { splitWords } from './core/shell-words.ts';
export type { FileSettings } from './devcontainer/file-settings.ts';
export type { Configuration } from './devcontainer/read-configuration.ts';
export type { BuildDefinition, DefinitionRequest, Devcontainer } from './devcontainer/types.ts';
export { parseDuration, parseGoBool as parseGoBoolean } from './dockerfile/parse/values.ts';
export type * from './inventory/types.ts';
export type { PartName } from './kubernetes/manifests.ts';
export type { ManifestSettings } from './kubernetes/types.ts';
export type { DiffOptions, ImageLocation, MakeIndexRequest } from './library/images.ts';
export type { LoggedIn, LogInRequest, LogOutRequest } from './library/login.ts';
export type { PlanSummary, StageSummary, StepSummary } from './library/plan-summary.ts';
export type { ServeOptions } from './library/registry.ts';
export type { BuildOptions, Mapping, RunOptions } from './library/request.ts';
export type { OpenedStore, StoreLocation } from './library/stores.ts';
export { defaultPlatform, distinctPlatforms, parsePlatform } from './oci/platform.ts';
export { parseReference } from './oci/reference.ts';
export type {
  BlobSource,
  ContainerConfig,
  Descriptor,
  Image,
  ImageConfig,
  Platform,
  Reference,
  Store,
} from './oci/types.ts';
export { contextName } from './plan/named-context.ts';
export type { Outline, OutlineArg, OutlineMount } from './plan/outline.ts';
export type { RegistryServer } from './registry/server.ts';
export type { LogLevel } from './start/coder-logs.ts';
export type { Dotfiles } from './start/dotfiles.ts';
export type {
  BuildPart,
  Definition,
  HookSecrets,
  StartedDevcontainer,
  StartRequest,
  UserEnvProbe,
} from './start/types.ts';
export { writeOutputText } from './sys/output-file.ts';
export type { UserCommand } from './sys/run-as.ts';
export type { DockerContainer } from './up/docker/containers.ts';
export type { DockerEngine } from './up/docker/engine.ts';
export type { DockerUpRequest } from './up/docker/up.ts';
export type { ContainerStore } from './up/store.ts';
export type { BuildOrder, FoundContainer, PrepareDeps, UpResult } from './up/types.ts';
export type { UpRequest } from './up/up.ts';
export type { WarmedImage, WarmRequest } from './warm/types.ts';
export type { CloneRequest, GitCredentials, WorkspaceRequest } from './workspace/types.ts';

const NODE = 26;

if (Number(process.versions.node.split('.')[0]) < NODE) {
  throw new Error(
    `the library of envbuilder needs Node ${NODE} or newer, and this is ${process.versions.node}; the command envbuilder runs under any Node from 20 on, and brings its own`,
  );
}

/**
 * For an ordinary user: runs this very program again, from its beginning, as root of a user namespace, in which builds work
 * as they do for root. To be called before anything else; streams, terminal and signals are those of this process.
 * @param warn told where the user has one id alone, so that files cannot be given to others
 * @returns how that run ended, as an exit code to end with; undefined when this process is root already, or where there can
 * be no such namespace, which the error of a build then explains
 */
export async function runAsRoot(warn: (text: string) => void = () => {}): Promise<number | undefined> {
  if (process.geteuid?.() === 0) return undefined;
  const { runInUserNamespace } = await import('./sys/user-namespace.ts');
  return runInUserNamespace(warn);
}

/**
 * Plans a build as `build` would do it: reads the Dockerfile and the context, and asks registries what base images are.
 * Nothing is looked up in a cache, run or written.
 * @throws AppError CONTEXT, DOCKERFILE, REFERENCE, REGISTRY, AUTH
 */
export async function plan(options: BuildOptions, run: RunOptions = {}): Promise<PlanSummary> {
  const [{ planOnly }, { summarise }] = await Promise.all([
    import('./builder/plan-only.ts'),
    import('./library/plan-summary.ts'),
  ]);
  return summarise(await planOnly(buildRequest(options), runDeps(run)));
}

/**
 * Builds an image: takes from the cache what it holds, runs the rest, stores it, and writes the outputs. Needs root
 * as soon as a step runs; ordinary users have it after runAsRoot.
 * @throws AppError PERMISSION without the rights that the back end needs, and with the code of whatever failed; outputs are then not there
 */
export async function build(options: BuildOptions, run: RunOptions = {}): Promise<BuildResult> {
  const { runBuild } = await import('./builder/build.ts');
  return runBuild(buildRequest(options), runDeps(run));
}

/**
 * Whether a build would find everything in the cache, and the image that it would give.
 * @throws AppError CACHE_MISS naming the first instruction that is missing; NOT_PUSHED when only the image itself is
 */
export async function probe(options: BuildOptions, run: RunOptions = {}): Promise<ProbeResult> {
  const { runProbe } = await import('./builder/probe.ts');
  return runProbe(buildRequest(options), runDeps(run));
}

/** What is built for several platforms, each as `os/architecture[/variant]`. */
export type IndexOptions = Omit<BuildOptions, 'platform' | 'runtime'> & {
  readonly platforms: readonly string[];
};

/**
 * Builds an image for each of several platforms in one build, and an index of them. What the platforms have in common, such as
 * a stage of the build's own platform, is built once. An output of the type `rootfs` has a directory for each platform.
 * @throws AppError as build; USAGE for an output that can hold one image alone
 */
export async function buildIndex(options: IndexOptions, run: RunOptions = {}): Promise<IndexResult> {
  const { runIndexBuild } = await import('./builder/build.ts');
  const { platforms, ...rest } = options;
  return runIndexBuild(buildRequest(rest), platforms, runDeps(run));
}

/**
 * Whether a build would find everything in the cache for all of these platforms, and the index that it would give.
 * @throws AppError as probe
 */
export async function probeIndex(options: IndexOptions, run: RunOptions = {}): Promise<ProbeResult> {
  const { runIndexProbe } = await import('./builder/probe.ts');
  const { platforms, ...rest } = options;
  return runIndexProbe(buildRequest(rest), platforms, runDeps(run));
}

/**
 * What a build would take from the cache, and of each other step why not: what changed since an earlier build.
 * @param comparison.from the beginning of the time of that build, in place of the last one
 * @throws AppError USAGE without a cache, REFERENCE where no such build has left a trace, and as plan
 */
export async function explain(
  options: BuildOptions,
  comparison: { readonly from?: string } = {},
  run: RunOptions = {},
): Promise<Explanation> {
  const { runExplain } = await import('./builder/explain.ts');
  return runExplain(buildRequest(options), comparison, runDeps(run));
}

/**
 * Applies the checks to a Dockerfile, without a build: to all stages, or to those that the target needs.
 * @throws AppError what has no place in the file, such as REGISTRY; what has one is `error` of the result
 */
export async function check(options: BuildOptions, run: RunOptions = {}): Promise<DockerfileCheck> {
  const { checkDockerfile } = await import('./builder/describe.ts');
  return checkDockerfile(buildRequest(options), runDeps(run));
}

/** What can be given to a build: arguments, secrets, SSH agents of its target. @throws AppError as plan */
export async function outline(
  options: BuildOptions,
  run: RunOptions = {},
): Promise<DescribedDockerfile<Outline>> {
  const { describeTarget } = await import('./builder/describe.ts');
  return describeTarget(buildRequest(options), runDeps(run));
}

/** The stages of a Dockerfile. @throws AppError DOCKERFILE */
export async function targets(
  options: BuildOptions,
  run: RunOptions = {},
): Promise<DescribedDockerfile<readonly TargetDescription[]>> {
  const { listTargets } = await import('./builder/describe.ts');
  return listTargets(buildRequest(options), runDeps(run));
}

/**
 * What a runtime image says of the layers that images have which its containers push, for a `runtime` to probe with.
 * @throws AppError USAGE where it is no runtime image; REFERENCE, REGISTRY, AUTH
 */
export async function readRuntimeImage(
  reference: string,
  layers: readonly string[],
  run: RunOptions & { readonly registries?: Partial<RegistrySettings>; readonly platform?: Platform } = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const [{ openRegistries }, { readDescriptions }] = await Promise.all([
    import('./builder/registry-access.ts'),
    import('./builder/publishing/runtime-image.ts'),
  ]);
  const deps = runDeps(run);
  const registries = openRegistries(registrySettings(run.registries), deps);
  try {
    const { platform = defaultPlatform() } = run;
    return await readDescriptions(reference, layers, { registries, platform, signal: deps.signal });
  } finally {
    await registries.close();
  }
}

/** The workspace whose dev container is read; the rest has defaults. */
export type DevcontainerOptions = Pick<DefinitionRequest, 'workspaceFolder'> &
  Partial<Omit<DefinitionRequest, 'registries'>> & { readonly registries?: Partial<RegistrySettings> };

/**
 * Reads the dev container of a folder, and works out what to build (`build`, to be spread into the options of `build`) and
 * what to do with the result. The lockfile is only read, and `${localEnv:…}` sees nothing, unless the options say otherwise.
 * @throws AppError DEVCONTAINER when there is none or it is wrong; REFERENCE, REGISTRY, AUTH, DOCKERFILE from its base
 */
export async function readDevcontainer(
  options: DevcontainerOptions,
  run: RunOptions = {},
): Promise<BuildDefinition> {
  const { loadDefinition } = await import('./devcontainer/load.ts');
  return loadDefinition(definitionRequest(options), runDeps(run));
}

/** A devcontainer.json as the reference implementation's `read-configuration` prints it. @throws as readDevcontainer */
export async function readConfiguration(
  options: DevcontainerOptions & Partial<Pick<ReadConfigurationRequest, 'merged' | 'features'>>,
  run: RunOptions = {},
): Promise<Configuration> {
  const { readConfiguration: read } = await import('./devcontainer/read-configuration.ts');
  const { merged = false, features = false } = options;
  return read({ ...definitionRequest(options), merged, features }, runDeps(run));
}

function definitionRequest(options: DevcontainerOptions): DefinitionRequest {
  return {
    env: {},
    inContainer: false,
    stateDir: defaultStateDir(),
    lockfile: 'read',
    ...options,
    registries: registrySettings(options.registries),
  };
}

/** Opens a repository of images: in memory, in a directory, or in a registry. @throws AppError REFERENCE, CACHE_DIR */
export async function openStore(location: StoreLocation, run: RunOptions = {}): Promise<OpenedStore> {
  const { open } = await import('./library/stores.ts');
  return open(location, run);
}

/** A store in memory, for tests; give it to `build` as `cache: { type: 'store', store }`. */
export async function createMemoryStore(name?: string): Promise<Store> {
  const module = await import('./oci/memory-store.ts');
  return module.createMemoryStore(name);
}

/** Serves a directory as a registry until it is closed. @throws AppError CACHE_DIR, USAGE */
export async function serveRegistry(options: ServeOptions): Promise<RegistryServer> {
  const { serve } = await import('./library/registry.ts');
  return serve(options);
}

/**
 * Asks a registry whether it takes a user and password, and keeps them in a Docker config, or with the credential helper that
 * the config names. A registry that asks nobody for a login takes anything.
 * @throws AppError AUTH when the registry refuses them, or the config or the helper is no use; REGISTRY, OUTPUT, USAGE
 */
export async function logIn(request: LogInRequest, run: RunOptions = {}): Promise<LoggedIn> {
  const { login } = await import('./library/login.ts');
  return login(request, run);
}

/** Forgets what a Docker config and its credential helper keep for a registry. @throws AppError AUTH, OUTPUT, USAGE */
export async function logOut(
  request: LogOutRequest,
): Promise<{ readonly registry: string; readonly wasIn: boolean }> {
  const { logout } = await import('./library/login.ts');
  return logout(request);
}

/** What a cache holds: lists, checks, prunes and copies it. */
export const loadInventory = () => import('./library/inventory.ts');

/**
 * What changed from one image to another: layers, config, files. Layers are read whole, unless both images have the same.
 * @throws AppError REFERENCE, CONTEXT for a directory without images; REGISTRY, AUTH, CORRUPT
 */
export async function diffImages(
  first: ImageLocation,
  second: ImageLocation,
  options: DiffOptions,
  run: RunOptions = {},
): Promise<ImageDiff> {
  const { diff } = await import('./library/images.ts');
  return diff(first, second, options, run);
}

/**
 * Makes an index of images in registries, and gives it its names; what is there already is not written again.
 * @returns the digest of the index
 * @throws AppError REFERENCE when an image is not there in time; USAGE for two of one platform; REGISTRY, AUTH, CORRUPT
 */
export async function makeIndex(request: MakeIndexRequest, run: RunOptions = {}): Promise<string> {
  const { combine } = await import('./library/images.ts');
  return combine(request, run);
}

/** Removes from a registry's directory what nothing reaches. @throws AppError CACHE_DIR */
export async function collectGarbage(request: CollectRequest): Promise<CollectResult> {
  const module = await import('./registry/gc.ts');
  return module.collectGarbage(request);
}

/** Reads all of a registry's directory, and says what is damaged. @throws AppError CACHE_DIR */
export async function checkRegistry(request: CheckRequest): Promise<CheckResult> {
  const module = await import('./registry/check.ts');
  return module.checkRegistry(request);
}

/**
 * Fills a directory of base images.
 * @param run.onImage called for each image that is there
 * @throws AppError of the first image that failed; all others are fetched
 */
export async function warm(
  request: WarmRequest,
  run: RunOptions & {
    readonly registries?: Partial<RegistrySettings>;
    readonly onImage?: (image: WarmedImage) => void;
  } = {},
): Promise<void> {
  const [{ openRegistries }, { warmCache }] = await Promise.all([
    import('./builder/registry-access.ts'),
    import('./warm/warm.ts'),
  ]);
  const deps = runDeps(run);
  const registries = openRegistries(registrySettings(run.registries), deps);
  try {
    await warmCache(request, { ...deps, registries, onImage: run.onImage ?? (() => {}) });
  } finally {
    await registries.close();
  }
}

/** Manifests for Kubernetes as typed objects, as YAML, and as files for kustomize and Helm. */
export const loadKubernetes = () => import('./kubernetes/all.ts');

/**
 * What a program needs that is process 1 of a container and becomes the environment that it builds there. For our own
 * command line; it may change with any version.
 */
export const loadContainer = () => import('./library/container.ts');

/** What a program needs that makes and runs dev containers in namespaces. For our own command line; it may change with any version. */
export const loadUp = () => import('./library/up.ts');
