import { dirname, resolve } from 'node:path';
import { beginsInside, definitionRoots, existsInside } from '../context/repository.ts';
import type { Emit } from '../core/events.ts';
import type { DefinitionRequest, DevcontainerConfig } from './types.ts';

type Place = Pick<
  DefinitionRequest,
  'workspaceFolder' | 'devcontainerDir' | 'devcontainerJsonPath' | 'allowOutside'
>;

/** The folder of dev containers of a workspace, whether it is there or not. */
export function devcontainerFolder({ workspaceFolder, devcontainerDir }: Place): string {
  return resolve(workspaceFolder, devcontainerDir || '.devcontainer');
}

/**
 * The folder that paths in a devcontainer.json are relative to: its own, by the specification. A file that the operator
 * has named may be meant for the folder of dev containers, which is what the Go program takes: a file that lies outside
 * of the repository is, where that folder has what the file names, and one inside, where its own folder has not.
 * @param config the file's content, with variables replaced
 */
export function baseFolder(file: string, config: DevcontainerConfig, place: Place, emit: Emit): string {
  const own = dirname(file);
  const common = devcontainerFolder(place);
  const named = namedFiles(config);
  if (place.devcontainerJsonPath === undefined || named.length === 0 || own === common) return own;
  const { workspaceFolder, allowOutside = [] } = place;
  const repository = definitionRoots(workspaceFolder, allowOutside);
  const has = (folder: string): boolean => {
    const roots = rootsAround(folder, workspaceFolder, repository);
    return named.every((path) => existsInside(resolve(folder, path), roots));
  };
  const isElsewhere = !beginsInside(file, [...repository, workspaceFolder]);
  if ((!isElsewhere && has(own)) || !has(common)) return own;
  const text = `${named.join(', ')} of ${file} is taken from ${common}`;
  emit({ type: 'message', level: 'info', text });
  return common;
}

/** The repository; besides it, where the operator has named a folder that lies elsewhere, the repository of that. */
export function rootsAround(
  folder: string,
  workspaceFolder: string,
  repository: readonly string[],
): readonly string[] {
  return beginsInside(folder, [...repository, workspaceFolder])
    ? repository
    : [...repository, ...definitionRoots(folder)];
}

/** Paths that tell by being there which folder is meant. */
function namedFiles({ dockerFile, build, dockerComposeFile, image, features }: DevcontainerConfig) {
  const dockerfile = dockerFile ?? build?.dockerfile;
  if (dockerfile !== undefined) return [dockerfile];
  if (dockerComposeFile !== undefined) return [dockerComposeFile].flat();
  return image === undefined ? [] : Object.keys(features ?? {}).filter((id) => /^\.{1,2}\//.test(id));
}
