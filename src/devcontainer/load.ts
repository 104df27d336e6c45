import { openRegistries, type RegistryAccess } from '../build/registry-access.ts';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { defaultPlatform, parsePlatform } from '../oci/platform.ts';
import { type BuildForm, buildForm } from './build-form.ts';
import { describeDevcontainer } from './describe.ts';
import { findConfigFile } from './discover.ts';
import { inspectTarget } from './inspect-target.ts';
import { entryOfConfig, METADATA_LABEL, metadataLabel, readMetadata } from './metadata.ts';
import { type ReadConfig, readConfig } from './read-config.ts';
import type { BuildDefinition, DefinitionRequest, OriginEntry } from './types.ts';

export interface DefinitionDeps {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** For tests; otherwise opened by the request's settings and closed again. */
  readonly registries?: Pick<RegistryAccess, 'resolveImage' | 'open'>;
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
  const metadata: OriginEntry[] = [
    ...base.map((entry) => ({ origin: entry.id ?? 'image metadata', entry })),
    ...(own === undefined ? [] : [{ origin: read.file, entry: own }]),
  ];
  const label = metadataLabel(metadata.map(({ entry }) => entry));
  const { name, initializeCommand } = read.config;
  return {
    build: {
      ...build,
      labels: new Map([...build.labels, ...(label === undefined ? [] : [[METADATA_LABEL, label] as const])]),
    },
    devcontainer: describeDevcontainer({
      configFile: read.file,
      ...(name === undefined ? {} : { name }),
      ...(initializeCommand === undefined ? {} : { initializeCommand }),
      ...(read.scope.containerWorkspaceFolder === undefined
        ? {}
        : { workspaceFolder: read.scope.containerWorkspaceFolder }),
      metadata,
      scope: read.scope,
      settings: { below, above: { env: {} } },
      ungranted: form.ungranted,
      env: request.env,
      image,
    }),
  };
}
