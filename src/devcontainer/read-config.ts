import { dirname, join, relative } from 'node:path';
import { checkInside, checkNamed, definitionRoots, readDefinition } from '../context/repository.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { baseFolder, rootsAround } from './base-folder.ts';
import { devcontainerId, idLabels } from './container-id.ts';
import { type JsonDocument, parseDocument } from './document.ts';
import { updateOldProperties } from './old-properties.ts';
import { substitute } from './substitute.ts';
import type { DefinitionRequest, DevcontainerConfig, FeatureOptions, VariableScope } from './types.ts';
import { checkFeatures, checkProperties } from './validate.ts';
import { referencePlace, startPlace, type WorkspacePlace } from './workspace-folder.ts';

/** A devcontainer.json as it was read. */
export interface ReadConfig {
  readonly file: string;
  /** Where the workspace's files are read, which may be a clone that stands in for it. */
  readonly folder: string;
  /** Another file is read in its place, which need not be there then. */
  readonly isOverridden: boolean;
  /** What paths in it are relative to. */
  readonly base: string;
  /** Directories that files which it names have to lie in. */
  readonly roots: readonly string[];
  readonly document: JsonDocument;
  /** Checked, with variables as they are written. */
  readonly raw: DevcontainerConfig;
  /** With all variables replaced but `${containerEnv:…}`. */
  readonly config: DevcontainerConfig;
  /** Those of the file, and behind them those that the request adds. */
  readonly features: Readonly<Record<string, FeatureOptions>>;
  readonly place: WorkspacePlace;
  readonly scope: VariableScope;
}

/**
 * Reads, checks and substitutes a devcontainer.json.
 * @throws AppError DEVCONTAINER, OUTSIDE; USAGE for additional features that are none
 */
export function readConfig(
  file: string,
  request: Pick<
    DefinitionRequest,
    | 'workspaceFolder'
    | 'containerFolder'
    | 'devcontainerDir'
    | 'devcontainerJsonPath'
    | 'overrideConfig'
    | 'additionalFeatures'
    | 'idLabels'
    | 'env'
    | 'inContainer'
    | 'workspaceFixed'
    | 'allowOutside'
  >,
  emit: Emit,
): ReadConfig {
  const { env, inContainer } = request;
  const workspaceFolder = request.containerFolder ?? request.workspaceFolder;
  const fileThere = join(workspaceFolder, relative(request.workspaceFolder, file));
  const rootsOf = (folder: string): readonly string[] => {
    const { workspaceFolder: workspace, allowOutside = [] } = request;
    return rootsAround(folder, workspace, definitionRoots(workspace, allowOutside));
  };
  const { overrideConfig, additionalFeatures = {} } = request;
  const document =
    overrideConfig === undefined
      ? parseDocument(readText(file, rootsOf(dirname(file)), 'definition'), file)
      : parseDocument(readText(overrideConfig, rootsOf(request.workspaceFolder), 'operator'), overrideConfig);
  const raw = updateOldProperties(checkProperties(document, emit));
  const local = { localWorkspaceFolder: workspaceFolder, localEnv: env };
  const place = inContainer
    ? startPlace(raw, local, request.workspaceFixed ?? false)
    : referencePlace(workspaceFolder, raw);
  const containerWorkspaceFolder =
    place.workspaceFolder === undefined ? undefined : substitute(place.workspaceFolder, local);
  const scope: VariableScope = {
    localWorkspaceFolder: workspaceFolder,
    ...(containerWorkspaceFolder === undefined ? {} : { containerWorkspaceFolder }),
    devcontainerId: devcontainerId(request.idLabels ?? idLabels(workspaceFolder, fileThere)),
  };
  const config = substituteProperties(document, raw, { ...scope, localEnv: env });
  const base = baseFolder(file, config, request, emit);
  const roots = rootsOf(base);
  const features = withFeatures(config.features ?? {}, checkFeatures(additionalFeatures));
  const folder = request.workspaceFolder;
  const isOverridden = overrideConfig !== undefined;
  return { file, isOverridden, folder, base, roots, document, raw, config, features, place, scope };
}

/** Those of the file come first, and count where both name one. */
function withFeatures<T>(
  own: Readonly<Record<string, T>>,
  more: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> {
  const added = Object.entries(more).filter(([id]) => !Object.hasOwn(own, id));
  return { ...own, ...Object.fromEntries(added) };
}

function substituteProperties(
  document: JsonDocument,
  raw: DevcontainerConfig,
  variables: Parameters<typeof substitute>[1],
): DevcontainerConfig {
  return Object.fromEntries(
    Object.entries(raw).map(([name, value]) => [
      name,
      substitute(value, variables, document.whereOf([name])),
    ]),
  ) as DevcontainerConfig;
}

function readText(file: string, roots: readonly string[], by: 'definition' | 'operator'): string {
  try {
    const named = { property: 'the dev container file', where: { path: file }, by } as const;
    const folder = { ...named, property: 'the folder of the dev container file' };
    if (by === 'operator') checkNamed(dirname(file), roots, folder);
    else checkInside(dirname(file), roots, folder);
    return readDefinition(file, roots, named).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new AppError('DEVCONTAINER', `there is no dev container file ${file}`, { where: { path: file } });
    }
    throw toAppError(error, 'DEVCONTAINER', `cannot read ${file}`, { where: { path: file } });
  }
}
