import { define, featuresOf } from './define.ts';
import { configFileOf, type LoadDeps, withRegistries } from './load.ts';
import { type MergedConfig, mergeConfig } from './merge.ts';
import { type ReadConfig, readConfig } from './read-config.ts';
import { substitute } from './substitute.ts';
import type { DefinitionRequest, DevcontainerConfig } from './types.ts';
import type { WorkspacePlace } from './workspace-folder.ts';

export interface ReadConfigurationRequest extends DefinitionRequest {
  /** Also what image, features and file say together. */
  readonly merged: boolean;
  /** Also the features with their options, in the order of installation. */
  readonly features: boolean;
}

/** Where a file lies, in the shape that the reference implementation prints. */
export interface ConfigFilePath {
  readonly $mid: 1;
  readonly fsPath: string;
  readonly path: string;
  readonly scheme: string;
}

interface Placed {
  readonly configFilePath: ConfigFilePath;
}

/** What `read-configuration` of the reference implementation prints. */
export interface Configuration {
  readonly configuration: DevcontainerConfig & Placed;
  readonly workspace: WorkspacePlace;
  readonly featuresConfiguration?: unknown;
  readonly mergedConfiguration?: MergedConfig & Placed;
}

/**
 * Reads a devcontainer.json as the reference implementation's `read-configuration` does where there is no container yet:
 * `${containerEnv:…}` and `${devcontainerId}` stay as they are.
 * @throws AppError as loadDefinition; images and features are asked for only when they are needed
 */
export async function readConfiguration(
  request: ReadConfigurationRequest,
  deps: LoadDeps,
): Promise<Configuration> {
  const file = configFileOf(request, deps);
  const read = readConfig(file, request, deps.emit);
  const replace = replacer(read, request);
  const placed: Placed = {
    configFilePath: {
      $mid: 1,
      fsPath: file,
      path: file,
      scheme: request.devcontainerJsonPath === undefined ? 'vscode-fileHost' : 'file',
    },
  };
  const config = replace(read.raw);
  const found = { configuration: { ...config, ...placed }, workspace: replace(read.place) };
  if (!request.merged && !request.features) return found;
  return withRegistries(request, deps, async (registries) => {
    const all = { ...deps, registries };
    if (!request.merged) return { ...found, ...(await featuresOf(request, read, all)) };
    const { devcontainer, featuresConfiguration } = await define(request, read, all);
    const entries = devcontainer.metadata.map(({ entry }) => replace(entry));
    return {
      ...found,
      ...(featuresConfiguration === undefined ? {} : { featuresConfiguration }),
      mergedConfiguration: { ...mergeConfig(config, entries), ...placed },
    };
  });
}

function replacer({ scope }: ReadConfig, { env }: DefinitionRequest): <T>(value: T) => T {
  const { devcontainerId: _, ...folders } = scope;
  return (value) => substitute(value, { ...folders, localEnv: env });
}
