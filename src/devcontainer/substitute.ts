import { basename } from 'node:path/posix';
import type { Environment } from '../core/environment.ts';
import { AppError, type Where } from '../core/error.ts';
import type { VariableScope } from './types.ts';

/** What variables stand for; those of a part that is left out stay as they are. */
export interface Variables extends VariableScope {
  readonly localEnv?: Environment;
  readonly containerEnv?: Environment;
}

const VARIABLE = /\$\{(.*?)\}/g;

/**
 * Replaces variables in all strings of a value, keys excepted (Dev Container reference, "Variables in
 * devcontainer.json"). A variable of an environment that is not set is its default, else empty; what nobody knows stays.
 * The text that a variable stands for is not looked through again.
 * @throws AppError DEVCONTAINER for `${localEnv}` and `${containerEnv}` without a name
 */
export function substitute<T>(value: T, variables: Variables, where: Where = {}): T {
  return replaceIn(value, (match, text) => lookup(match, text, variables, where)) as T;
}

function replaceIn(value: unknown, replace: (match: string, text: string) => string): unknown {
  if (typeof value === 'string') return value.replace(VARIABLE, replace);
  if (Array.isArray(value)) return value.map((item) => replaceIn(item, replace));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, replaceIn(item, replace)]));
}

function lookup(match: string, text: string, variables: Variables, where: Where): string {
  const [name, ...args] = text.split(':');
  const folder = (path: string | undefined): string => path ?? match;
  const base = (path: string | undefined): string => (path === undefined ? match : basename(path));
  switch (name) {
    case 'env':
    case 'localEnv':
      return fromEnvironment(variables.localEnv, args);
    case 'containerEnv':
      return fromEnvironment(variables.containerEnv, args);
    case 'localWorkspaceFolder':
      return folder(variables.localWorkspaceFolder);
    case 'localWorkspaceFolderBasename':
      return base(variables.localWorkspaceFolder);
    case 'containerWorkspaceFolder':
      return folder(variables.containerWorkspaceFolder);
    case 'containerWorkspaceFolderBasename':
      return base(variables.containerWorkspaceFolder);
    case 'devcontainerId':
      return folder(variables.devcontainerId);
    default:
      return match;
  }

  function fromEnvironment(env: Variables['localEnv'], [variable, fallback]: readonly string[]): string {
    if (!env) return match;
    if (variable === undefined) {
      throw new AppError('DEVCONTAINER', `${match} names no variable`, {
        where,
        hint: `write \${${name}:NAME} or \${${name}:NAME:default}`,
      });
    }
    return (Object.hasOwn(env, variable) ? env[variable] : undefined) ?? fallback ?? '';
  }
}
