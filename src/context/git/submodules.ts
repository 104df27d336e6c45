import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, type ErrorCode } from '../../core/error.ts';
import { GIT_FILES } from '../../core/network-limits.ts';
import type { FileCount } from './too-many-files.ts';
import type { GitResult } from './types.ts';

/** What stands for bytes that are no text in what git prints. Arguments of a program cannot have such bytes here. */
const NOT_UTF8 = '\ufffd';
/** A call takes no more arguments than the kernel does. */
const PATHS_OF_A_CALL = 1000;
/** A command that git runs in the place of a checkout, and that does nothing; its space makes git use the shell. */
const NO_CHECKOUT = '!: nothing';

export interface SubmoduleOptions {
  /** Runs git; a failure is in the result. */
  readonly attempt: (args: readonly string[]) => Promise<GitResult>;
  /** Counts their files, in a sum with those of the repository. */
  readonly files: FileCount;
  /** The error that a failed result is. */
  readonly errorOf: (result: GitResult) => AppError;
  /** Is told why one cannot be had; may throw, and else that one is left out. */
  readonly onMissing: (path: string, error: AppError) => void;
  /** Is told why one cannot even be asked for, as `onMissing`. */
  readonly onUnnamed: (path: string, reason: string) => void;
  /** Of the errors that are made here. */
  readonly code: ErrorCode;
  /** How deep submodules of submodules are followed. */
  readonly levels: number;
  readonly depth?: number;
}

interface Submodule {
  readonly path: string;
  readonly commit: string;
  readonly name: string;
  /** Its definition says that it is not to be checked out. */
  readonly never: boolean;
}

/**
 * Checks out the submodules of a checkout that are marked active, each on its own, so that one that cannot be had does not
 * stop the others. Their files are counted before they are written.
 * @throws what `onMissing` and `onUnnamed` throw
 */
export async function updateSubmodules(directory: string, options: SubmoduleOptions): Promise<void> {
  if (options.levels < 1 || !existsSync(join(directory, '.gitmodules'))) return;
  for (const submodule of await submodulesOf(directory, options)) {
    if (!(await update(directory, submodule, options))) continue;
    await updateSubmodules(join(directory, submodule.path), { ...options, levels: options.levels - 1 });
  }
}

async function submodulesOf(
  directory: string,
  { attempt, onUnnamed }: SubmoduleOptions,
): Promise<readonly Submodule[]> {
  const config = ['config', '-z', '-f', '.gitmodules', '--get-regexp', '^submodule\\..*\\.(path|update)$'];
  const listed = await attempt(['-C', directory, ...config]);
  const values = listed.stdout.split('\0').flatMap((entry) => {
    const [, name, key, value] = /^submodule\.(.*)\.(path|update)\n(.*)$/s.exec(entry) ?? [];
    return name === undefined ? [] : [{ name, key, value: value! }];
  });
  const never = new Set(
    values.filter(({ key, value }) => key === 'update' && value === 'none').map(({ name }) => name),
  );
  const named = new Map<string, string>();
  const paths = Map.groupBy(
    values.filter(({ key }) => key === 'path'),
    ({ value }) => value,
  );
  for (const [path, [{ name } = { name: '' }, ...more]] of paths) {
    if (path.includes(NOT_UTF8)) onUnnamed(path, 'its path is no UTF-8');
    // git takes what is in front of the first equals sign of -c for the name.
    else if (name.includes(NOT_UTF8) || name.includes('=')) onUnnamed(path, `its name is "${name}"`);
    else if (more.some((other) => other.name !== name)) onUnnamed(path, 'it has several names');
    else named.set(path, name);
  }
  const found: Submodule[] = [];
  for (let from = 0; from < named.size; from += PATHS_OF_A_CALL) {
    const some = [...named.keys()].slice(from, from + PATHS_OF_A_CALL).map((path) => `:(literal)${path}`);
    const links = await attempt(['-C', directory, 'ls-files', '-s', '-z', '--', ...some]);
    // .gitmodules may name paths that the commit does not have.
    for (const entry of links.stdout.split('\0')) {
      const [, commit, path] = /^160000 (\S+)[^\t]*\t(.*)$/s.exec(entry) ?? [];
      const name = path === undefined ? undefined : named.get(path);
      if (name !== undefined) found.push({ path: path!, commit: commit!, name, never: never.has(name) });
    }
  }
  return found;
}

async function update(
  directory: string,
  { path, commit, name, never }: Submodule,
  { attempt, files, errorOf, onMissing, code, depth }: SubmoduleOptions,
): Promise<boolean> {
  if (never) return false;
  const shallow = depth === undefined ? [] : [`--depth=${depth}`];
  const run = async (before: readonly string[], after: readonly string[]): Promise<GitResult> => {
    const update = [...before, 'submodule', 'update', '--progress', ...after];
    const result = await attempt(['-C', directory, ...update, ...shallow, '--', path]);
    // A server may refuse to give a commit that no branch ends in.
    return result.code === 0 || shallow.length === 0
      ? result
      : attempt(['-C', directory, ...update, '--', path]);
  };
  const inside = join(directory, path);
  const isThere = (): boolean => existsSync(join(inside, '.git'));
  const fail = (error: AppError): boolean => {
    onMissing(path, error);
    return false;
  };
  const fetched = await run(['-c', `submodule.${name}.update=${NO_CHECKOUT}`], ['--init']);
  if (fetched.code !== 0) return fail(errorOf(fetched));
  if (isThere() && (await files.exceeds(inside, commit)))
    return fail(
      new AppError(code, `with it there are more than ${GIT_FILES.toLocaleString('en')} files`, {
        hint: 'so many are not checked out',
      }),
    );
  // Its HEAD may be at the commit already, without any file.
  const result = await run([], ['--checkout', '--force']);
  return result.code === 0 ? isThere() : fail(errorOf(result));
}
