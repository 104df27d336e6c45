import { readdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { definitionRoots, leadsOut } from '../context/repository.ts';
import { AppError, toAppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { didYouMean } from '../core/suggest.ts';
import { devcontainerFolder } from './base-folder.ts';
import type { DefinitionRequest } from './types.ts';

type Search = Pick<
  DefinitionRequest,
  'workspaceFolder' | 'devcontainerDir' | 'devcontainerJsonPath' | 'configuration' | 'allowOutside'
>;

const FILE = 'devcontainer.json';
const FOLDER = '.devcontainer';

/**
 * The devcontainer.json of a workspace: the one that is named; else the one in the named folder; else, in this order,
 * `.devcontainer/devcontainer.json`, `.devcontainer.json`, `devcontainer.json`, `.devcontainer/<folder>/devcontainer.json`.
 * Of several folders the first by name is taken, with a warning that names the others. A link that leads out of the
 * repository counts as a file; whoever reads it says what is wrong.
 * @returns an absolute path; undefined when there is none and none was named
 * @throws AppError DEVCONTAINER when a file or configuration that was named is not there
 */
export function findConfigFile(search: Search, emit: Emit): string | undefined {
  const { workspaceFolder, devcontainerJsonPath, configuration } = search;
  const dir = devcontainerFolder(search);
  const roots = definitionRoots(workspaceFolder, search.allowOutside);
  const isThere = (path: string): boolean => leadsOut(path, roots) || isFile(path);
  if (devcontainerJsonPath) return existing(resolve(dir, devcontainerJsonPath), isThere);
  if (configuration) return namedConfiguration(dir, configuration);
  const fixed = [join(dir, FILE), ...wellKnownFiles(workspaceFolder)].find(isThere);
  if (fixed !== undefined) return fixed;
  const [first, ...others] = [...new Set([dir, join(workspaceFolder, FOLDER)])].flatMap(configurationsIn);
  if (first === undefined || others.length === 0) return first;
  const names = others.map((file) => relative(workspaceFolder, file));
  emit({
    type: 'warning',
    code: 'DEVCONTAINER',
    text: `there are several dev containers; taking ${relative(workspaceFolder, first)}, and not ${names.join(', ')}`,
    hint: 'choose one with --devcontainer-json-path (ENVBUILDER_DEVCONTAINER_JSON_PATH)',
  });
  return first;
}

/** Places that are looked at whatever the options say, in order. */
function wellKnownFiles(workspace: string): string[] {
  return [join(workspace, FOLDER, FILE), join(workspace, `.${FILE}`), join(workspace, FILE)];
}

/** The files of configurations that have a folder of their own, sorted by name. */
function configurationsIn(dir: string): string[] {
  try {
    return readdirSync(dir)
      .sort()
      .map((name) => join(dir, name, FILE))
      .filter(isFile);
  } catch {
    return [];
  }
}

function namedConfiguration(dir: string, name: string): string {
  const file = join(dir, name, FILE);
  if (isFile(file)) return file;
  const known = configurationsIn(dir).map((path) => relative(dir, resolve(path, '..')));
  throw new AppError('DEVCONTAINER', `there is no dev container ${name} in ${dir}`, {
    hint: known.length > 0 ? didYouMean(name, known) : `it would be the file ${file}`,
  });
}

function existing(file: string, isThere: (path: string) => boolean): string {
  if (isThere(file)) return file;
  throw new AppError('DEVCONTAINER', `there is no dev container file ${file}`, {
    hint: 'a relative path is looked for in the folder of the dev container, .devcontainer by default',
  });
}

function isFile(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch (error) {
    throw toAppError(error, 'DEVCONTAINER', `cannot look for ${path}`, { where: { path } });
  }
}
