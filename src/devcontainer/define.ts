import { basename, join } from 'node:path';
import type { RegistryAccess } from '../builder/registry-access.ts';
import type { Emit } from '../core/events.ts';
import { defaultPlatform, parsePlatform } from '../oci/platform.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { type Machine, probeMachine } from '../sys/machine.ts';
import { buildForm } from './build-form.ts';
import type { BuildForm } from './build-source.ts';
import { describeDevcontainer } from './describe.ts';
import { prepareFeatures } from './features/prepare.ts';
import type { FeaturesRequest, FeaturesResult } from './features/types.ts';
import { variablesOfImage } from './image-env.ts';
import { inspectTarget } from './inspect-target.ts';
import { entryOfConfig, METADATA_LABEL, metadataLabel, readMetadata } from './metadata.ts';
import type { ReadConfig } from './read-config.ts';
import { applyRunArgs } from './run-args.ts';
import type {
  BuildDefinition,
  DefinitionRequest,
  Devcontainer,
  MetadataEntry,
  OriginEntry,
} from './types.ts';
import { ungrantedOfConfig, ungrantedOfMetadata, warnUngranted } from './ungranted.ts';
import { workspaceLink } from './workspace-folder.ts';

export interface DefinitionDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly registries: Pick<RegistryAccess, 'resolveImage' | 'open' | 'download'>;
  /** The container that becomes the dev container; the one that this process is in when left out. */
  readonly machine?: Machine;
}

/** A definition, and what of its features is printed and not used. */
export interface FullDefinition extends BuildDefinition {
  readonly featuresConfiguration?: unknown;
}

/**
 * Works out what to build from a devcontainer.json, and what to do with the result.
 * @throws AppError DEVCONTAINER, DOCKERFILE; REFERENCE, REGISTRY, AUTH from base images and features
 */
export async function define(
  request: DefinitionRequest,
  read: ReadConfig,
  deps: DefinitionDeps,
): Promise<FullDefinition> {
  const { emit, signal, registries } = deps;
  const form = overridden(buildForm(read, request, emit), request);
  const { build, text } = form;
  const platform = build.platform === undefined ? defaultPlatform() : parsePlatform(build.platform);
  const target = { ...build, text, file: build.dockerfile, platform };
  const image = await inspectTarget(target, (name, wanted) => registries.resolveImage(name, wanted, signal));
  const base = readMetadata(image.Labels, 'the base image', emit);
  const describe = (features: readonly MetadataEntry[]): Devcontainer =>
    describeWith(request, read, { form, image, base, features });
  const features =
    Object.keys(read.features).length === 0
      ? undefined
      : await prepareFeatures(featuresRequest(request, read, form, { image, plain: describe([]) }), deps);
  const devcontainer = describe(features?.entries ?? []);
  if (request.inContainer) {
    const { machine = probeMachine() } = deps;
    warnUngranted(devcontainer.ungranted, { workspace: request.workspaceFolder, emit, machine });
  }
  const entries = devcontainer.metadata.map(({ entry }) => entry);
  const label = metadataLabel(entries);
  return {
    build: {
      ...build,
      repository: read.folder,
      allowOutside: read.roots,
      ...(features ? extendedBuild(build, features) : {}),
      labels: new Map([...build.labels, ...(label === undefined ? [] : [[METADATA_LABEL, label] as const])]),
      imageEnv: variablesOfImage(entries),
    },
    devcontainer,
    ...(features ? { featuresConfiguration: features.featuresConfiguration } : {}),
  };
}

/**
 * The features of a devcontainer.json without a look at what they are added to.
 * @throws AppError DEVCONTAINER, REGISTRY, AUTH, CORRUPT
 */
export async function featuresOf(
  request: DefinitionRequest,
  read: ReadConfig,
  deps: DefinitionDeps,
): Promise<Pick<FullDefinition, 'featuresConfiguration'>> {
  if (Object.keys(read.features).length === 0) return {};
  const form = buildForm(read, request, deps.emit);
  const plain = describeWith(request, read, { form, image: {}, base: [], features: [] });
  const features = await prepareFeatures(featuresRequest(request, read, form, { image: {}, plain }), deps);
  return { featuresConfiguration: features.featuresConfiguration };
}

/** The command line wins over the file. */
function overridden(form: BuildForm, request: DefinitionRequest): BuildForm {
  const { target, platform, buildArgs = new Map() } = request;
  const { build } = form;
  return {
    ...form,
    build: {
      ...build,
      ...(target === undefined ? {} : { target }),
      ...(platform === undefined ? {} : { platform }),
      buildArgs: new Map([...build.buildArgs, ...buildArgs]),
    },
  };
}

interface Parts {
  readonly form: BuildForm;
  readonly image: ContainerConfig;
  readonly base: readonly MetadataEntry[];
  readonly features: readonly MetadataEntry[];
}

function describeWith(
  { env, inContainer, secrets = [] }: DefinitionRequest,
  read: ReadConfig,
  { form, image, base, features }: Parts,
): Devcontainer {
  const { config, raw, file, scope } = read;
  const own = entryOfConfig(raw);
  const metadata: OriginEntry[] = [
    ...base.map((entry) => ({ origin: entry.id ?? 'image metadata', entry })),
    ...features.map((entry) => ({ origin: entry.id ?? 'feature', entry })),
    ...(own === undefined ? [] : [{ origin: file, entry: own }]),
  ];
  const { name, initializeCommand, runArgs = [] } = config;
  const { settings, ungranted } = applyRunArgs(runArgs, file);
  const { containerWorkspaceFolder: workspaceFolder } = scope;
  const link = inContainer ? workspaceLink(read, form) : undefined;
  return describeDevcontainer({
    configFile: file,
    ...(name === undefined ? {} : { name }),
    ...(initializeCommand === undefined ? {} : { initializeCommand }),
    ...(workspaceFolder === undefined ? {} : { workspaceFolder }),
    ...(link === undefined ? {} : { workspaceLink: link }),
    metadata,
    scope,
    settings: { below: form.below, above: settings },
    ungranted: [
      ...ungrantedOfMetadata(metadata, { ...scope, localEnv: env }),
      ...ungrantedOfConfig(config, file, { scope, env, secrets }),
      ...ungranted,
      ...form.ungranted,
    ],
    env,
    image,
  });
}

function extendedBuild(build: BuildForm['build'], features: FeaturesResult): Partial<BuildForm['build']> {
  return {
    dockerfileText: features.dockerfileText,
    ...(features.target === undefined ? {} : { target: features.target }),
    contexts: new Map([...build.contexts, ...features.contexts]),
  };
}

/** @param what.plain the dev container without its features, which say nothing about users */
function featuresRequest(
  request: DefinitionRequest,
  { config, features, document, file, base, roots }: ReadConfig,
  { build, text }: BuildForm,
  { image, plain }: { readonly image: ContainerConfig; readonly plain: Devcontainer },
): FeaturesRequest {
  return {
    features,
    overrideInstallOrder: config.overrideFeatureInstallOrder ?? [],
    configFile: file,
    placedFile: join(base, basename(file)),
    roots,
    // What is added beside the file stands nowhere in it.
    rangeOf: (id) =>
      Object.hasOwn(config.features ?? {}, id) ? document.whereOfKey(['features', id]).range : undefined,
    dockerfileText: text,
    dockerfile: build.dockerfile,
    ...(build.target === undefined ? {} : { target: build.target }),
    image,
    containerUser: plain.containerUser,
    remoteUser: plain.remoteUser,
    lockfile: request.lockfile,
    ...(request.env.GITHUB_TOKEN ? { githubToken: request.env.GITHUB_TOKEN } : {}),
  };
}
