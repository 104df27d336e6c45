import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GitRunner } from './runner.ts';

/** What stands for bytes that are no text in what git prints. Arguments of a program cannot have such bytes here. */
const NOT_UTF8 = '\ufffd';

export interface SubmoduleOptions {
  /** How deep submodules of submodules are followed. */
  readonly levels: number;
  /** Whether one that cannot be had is an error; otherwise it is a warning. */
  readonly required: boolean;
  readonly depth?: number;
}

/**
 * Checks out the submodules of a clone that are marked active, each on its own, so that one that cannot be had does not
 * stop the others.
 * @throws AppError when a required one cannot be had
 */
export async function updateSubmodules(
  runner: GitRunner,
  directory: string,
  options: SubmoduleOptions,
): Promise<void> {
  if (options.levels < 1 || !existsSync(join(directory, '.gitmodules'))) return;
  for (const path of await pathsOf(runner, directory)) {
    if (!(await update(runner, directory, path, options))) continue;
    await updateSubmodules(runner, join(directory, path), { ...options, levels: options.levels - 1 });
  }
}

async function pathsOf(runner: GitRunner, directory: string): Promise<readonly string[]> {
  const listed = await runner.attempt([
    '-C',
    directory,
    'config',
    '-z',
    '-f',
    '.gitmodules',
    '--get-regexp',
    '^submodule\\..*\\.path$',
  ]);
  const all = listed.stdout.split('\0').flatMap((entry) => entry.split('\n').slice(1, 2));
  const paths = all.filter((path) => !path.includes(NOT_UTF8));
  for (const path of all.filter((one) => !paths.includes(one)))
    runner.emit({
      type: 'warning',
      code: 'WORKSPACE',
      text: `the submodule ${path} is left out: its path is no UTF-8`,
      hint: 'rename it, or check it out in the workspace: git submodule update --init',
    });
  if (paths.length === 0) return [];
  const links = await runner.attempt([
    '-C',
    directory,
    'ls-files',
    '-s',
    '-z',
    '--',
    ...paths.map((path) => `:(literal)${path}`),
  ]);
  // .gitmodules may name paths that the commit does not have.
  return links.stdout.split('\0').flatMap((entry) => /^160000 [^\t]*\t(.*)$/s.exec(entry)?.slice(1) ?? []);
}

async function update(
  runner: GitRunner,
  directory: string,
  path: string,
  { required, depth }: SubmoduleOptions,
): Promise<boolean> {
  const base = ['-C', directory, 'submodule', 'update', '--init', '--progress'];
  const shallow = depth === undefined ? [] : [`--depth=${depth}`];
  let result = await runner.attempt([...base, ...shallow, '--', path]);
  // A server may refuse to give a commit that no branch ends in.
  if (result.code !== 0 && shallow.length > 0) result = await runner.attempt([...base, '--', path]);
  if (result.code === 0) return existsSync(join(directory, path, '.git'));
  const error = runner.errorOf(result);
  if (required) throw error;
  runner.emit({
    type: 'warning',
    code: error.code,
    text: `the submodule ${path} is left out: ${error.message}`,
    hint: 'credentials are only sent to the server of the repository itself; ENVBUILDER_GIT_CLONE_SUBMODULES=0 leaves submodules alone',
  });
  return false;
}
