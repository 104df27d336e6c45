import { realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { type ContainerStore, type DefinitionRequest, type FoundContainer, loadUp } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import type { CommandContext } from '../run-context.ts';
import { definitionRequest } from './command-request.ts';

/** Opens the containers of the user. */
export async function openContainers(
  { 'containers-dir': named }: Pick<Options, 'containers-dir'>,
  { env, cwd }: Pick<CommandContext, 'env' | 'cwd'>,
): Promise<ContainerStore> {
  const { createContainerStore } = await loadUp();
  return createContainerStore(resolve(cwd, named ?? userStateDir(env)));
}

/** Our directory for what outlives caches (XDG Base Directory Specification). */
function userStateDir(env: Environment): string {
  const base = env.XDG_STATE_HOME;
  return join(base?.startsWith('/') ? base : join(env.HOME || homedir(), '.local/state'), 'envbuilder');
}

/**
 * The workspace that is meant, without links.
 * @param operand names it in place of the option
 * @throws AppError USAGE, WORKSPACE
 */
export function containerFolder({ options }: Parsed, operand: string | undefined, cwd: string): string {
  const folder = resolve(cwd, operand ?? options['workspace-folder'] ?? '.');
  try {
    return realpathSync(folder);
  } catch (error) {
    throw toAppError(error, 'WORKSPACE', `there is no folder ${folder}`, { where: { path: folder } });
  }
}

/** What to read the dev container of a folder with, for a container that is run here. */
export function containerDefinition(
  parsed: Parsed,
  folder: string,
  context: Pick<CommandContext, 'env' | 'cwd'>,
): DefinitionRequest {
  const { config, 'no-lockfile': none, 'frozen-lockfile': frozen } = parsed.options;
  return {
    ...definitionRequest(parsed, folder, context),
    ...(frozen ? { lockfile: 'frozen' } : none ? { lockfile: 'ignore' } : {}),
    ...(config === undefined ? {} : { devcontainerJsonPath: resolve(context.cwd, config) }),
  };
}

/**
 * The container that options name: by id, by name, else by the folder and its devcontainer.json.
 * @throws AppError START_FAILED where there is none
 */
export async function namedContainer(
  parsed: Parsed,
  store: ContainerStore,
  operand: string | undefined,
  context: Pick<CommandContext, 'env' | 'cwd'>,
): Promise<FoundContainer> {
  const { 'container-id': id, 'container-name': name } = parsed.options;
  const all = store.list();
  if (id !== undefined || name !== undefined) {
    const found = all.filter(
      ({ record }) =>
        record.name === (name ?? id) || (id !== undefined && id.length >= 4 && record.id.startsWith(id)),
    );
    if (found.length === 1) return found[0]!;
    throw new AppError(
      'START_FAILED',
      `there is ${found.length === 0 ? 'no' : 'more than one'} container ${name ?? id}`,
      {
        hint: 'envbuilder list shows all',
      },
    );
  }
  const folder = containerFolder(parsed, operand, context.cwd);
  const ofFolder = all.filter(({ record }) => record.folder === folder);
  if (ofFolder.length === 1 && !namesFile(parsed)) return ofFolder[0]!;
  if (ofFolder.length > 0) {
    const { configFileOf } = await loadUp();
    const file = configFileOf(containerDefinition(parsed, folder, context), { emit: () => {} });
    const found = ofFolder.find(({ record }) => record.configFile === file);
    if (found) return found;
  }
  throw new AppError('START_FAILED', `there is no dev container of ${folder}`, {
    hint: 'envbuilder up makes one; envbuilder list shows all',
  });
}

/** Whether one of several files of a folder is meant. */
function namesFile({ given }: Parsed): boolean {
  return (['config', 'devcontainer-dir', 'devcontainer-json-path', 'devcontainer-name'] as const).some(
    (name) => given.has(name),
  );
}
