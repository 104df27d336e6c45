import { openRegistries, type RegistryAccess } from '../build/registry-access.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { defaultPlatform, parsePlatform } from '../oci/platform.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { type BuildForm, buildForm } from './build-form.ts';
import { describeDevcontainer } from './describe.ts';
import { findConfigFile } from './discover.ts';
import { prepareFeatures } from './features/prepare.ts';
import type { FeaturesRequest, FeaturesResult } from './features/types.ts';
import { inspectTarget } from './inspect-target.ts';
import { entryOfConfig, METADATA_LABEL, metadataLabel, readMetadata } from './metadata.ts';
import { type ReadConfig, readConfig } from './read-config.ts';
import type {
  BuildDefinition,
  DefinitionRequest,
  Devcontainer,
  MetadataEntry,
  OriginEntry,
} from './types.ts';

export interface DefinitionDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** For tests; otherwise opened by the request's settings and closed again. */
  readonly registries?: Pick<RegistryAccess, 'resolveImage' | 'open' | 'download'>;
}

/**
 * Finds the devcontainer.json of a workspace, and works out what to build from it and what to do with the result. Base
 * images are asked for their configs; nothing is built.
 * @throws AppError DEVCONTAINER when there is none or it is wrong; REFERENCE, REGISTRY, AUTH, DOCKERFILE from the base
 */
export async function loadDefinition(
  request: DefinitionRequest,
  deps: DefinitionDeps,
): Promise<BuildDefinition> {
  const file = findConfigFile(request, deps.emit);
  if (file === undefined) {
    throw new AppError('DEVCONTAINER', `there is no devcontainer.json in ${request.workspaceFolder}`, {
      hint: 'add .devcontainer/devcontainer.json, or name a Dockerfile with --dockerfile-path (ENVBUILDER_DOCKERFILE_PATH)',
    });
  }
  const read = readConfig(file, request, deps.emit);
  const form = buildForm(read, deps.emit);
  if (deps.registries) return define(request, read, form, { ...deps, registries: deps.registries });
  const registries = openRegistries(request.registries, deps);
  try {
    return await define(request, read, form, { ...deps, registries });
  } finally {
    await registries.close();
  }
}

async function define(
  request: DefinitionRequest,
  read: ReadConfig,
  form: BuildForm,
  { emit, signal, registries }: Required<DefinitionDeps>,
): Promise<BuildDefinition> {
  const { build, text, below } = form;
  const named = build.platform ?? request.platform;
  const platform = named === undefined ? defaultPlatform() : parsePlatform(named);
  const target = { ...build, text, file: build.dockerfile, platform };
  const image = await inspectTarget(target, (name, wanted) => registries.resolveImage(name, wanted, signal));
  const base = readMetadata(image.Labels, 'the base image', emit);
  const own = entryOfConfig(read.raw);
  const { name, initializeCommand } = read.config;
  const describe = (features: readonly MetadataEntry[]): Devcontainer =>
    describeDevcontainer({
      configFile: read.file,
      ...(name === undefined ? {} : { name }),
      ...(initializeCommand === undefined ? {} : { initializeCommand }),
      ...(read.scope.containerWorkspaceFolder === undefined
        ? {}
        : { workspaceFolder: read.scope.containerWorkspaceFolder }),
      metadata: [
        ...base.map((entry): OriginEntry => ({ origin: entry.id ?? 'image metadata', entry })),
        ...features.map((entry): OriginEntry => ({ origin: entry.id ?? 'feature', entry })),
        ...(own === undefined ? [] : [{ origin: read.file, entry: own }]),
      ],
      scope: read.scope,
      settings: { below, above: { env: {} } },
      ungranted: form.ungranted,
      env: request.env,
      image,
    });
  const features =
    Object.keys(read.config.features ?? {}).length === 0
      ? undefined
      : await prepareFeatures(featuresRequest(request, read, form, { image, plain: describe([]) }), {
          emit,
          signal,
          registries,
        });
  const devcontainer = describe(features?.entries ?? []);
  const label = metadataLabel(devcontainer.metadata.map(({ entry }) => entry));
  return {
    build: {
      ...build,
      ...(features ? extendedBuild(build, features) : {}),
      labels: new Map([...build.labels, ...(label === undefined ? [] : [[METADATA_LABEL, label] as const])]),
    },
    devcontainer,
  };
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
  { config, document, file }: ReadConfig,
  { build, text }: BuildForm,
  { image, plain }: { readonly image: ContainerConfig; readonly plain: Devcontainer },
): FeaturesRequest {
  return {
    features: config.features ?? {},
    overrideInstallOrder: config.overrideFeatureInstallOrder ?? [],
    configFile: file,
    rangeOf: (id) => document.whereOfKey(['features', id]).range,
    dockerfileText: text,
    dockerfile: build.dockerfile,
    ...(build.target === undefined ? {} : { target: build.target }),
    image,
    containerUser: plain.containerUser ?? 'root',
    remoteUser: plain.remoteUser ?? 'root',
    lockfile: request.lockfile,
  };
}
