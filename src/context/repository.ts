import { existsSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AppError, type Where } from '../core/error.ts';
import { fsPath } from '../core/path-bytes.ts';
import { readRegularFile } from '../sys/regular-file.ts';

/** Most bytes of a file that a definition names: a Dockerfile, an ignore file, a Compose file, an env file. */
const LARGEST_DEFINITION = 16 * 1024 * 1024;

const MOST_LINKS = 40;

/** What names a path, for the error. */
export interface Named {
  /** As in `build.context`. */
  readonly property: string;
  /** Where it stands. */
  readonly where?: Where;
}

/**
 * The directories that the files of a definition have to lie in: the repository of its folder, which is what git calls its
 * top level and otherwise the folder itself, and those that the operator allows besides.
 * @param folder an absolute path
 */
export function definitionRoots(folder: string, allowed: readonly string[] = []): readonly string[] {
  return [...new Set([topLevel(folder), ...allowed])];
}

/** The nearest directory around a folder that git keeps a repository in; the folder itself where there is none. */
function topLevel(folder: string): string {
  const real = realOf(folder);
  for (let at = real; ; at = dirname(at)) {
    if (isRepository(join(at, '.git'))) return at;
    if (at === dirname(at)) return real;
  }
}

/** A directory with a HEAD, or the file that a worktree or submodule has (gitrepository-layout(5)). */
function isRepository(path: string): boolean {
  const found = statSync(fsPath(path), { throwIfNoEntry: false });
  return found?.isFile() === true || (found?.isDirectory() === true && existsSync(join(path, 'HEAD')));
}

/**
 * Checks that a path stays inside once all links are followed, whether anything is there or not.
 * @param path absolute
 * @throws AppError OUTSIDE
 */
export function checkInside(path: string, roots: readonly string[], named: Named): void {
  realInside(path, roots, named);
}

/** As `checkInside`. @returns the path without links, as far as it exists */
export function realInside(path: string, roots: readonly string[], { property, where }: Named): string {
  const real = realOf(path);
  if (isInside(real, roots)) return real;
  const [repository] = roots;
  const leads = real === path ? 'is' : `is ${path}, which leads to`;
  throw new AppError('OUTSIDE', `${property} ${leads} ${real}, outside of the repository ${repository}`, {
    ...(where === undefined ? {} : { where }),
    hint: 'move it into the repository, or allow its directory with --allow-outside DIR (ENVBUILDER_ALLOW_OUTSIDE)',
  });
}

/**
 * As `checkInside` for a path that the operator has named. It may lie anywhere; but one that begins in the repository
 * must not lead out of it, since links there are not the operator's.
 */
export function checkNamed(path: string, roots: readonly string[], named: Named): void {
  if (beginsInside(path, roots)) checkInside(path, roots, named);
}

/**
 * Reads a regular file that a definition, or the operator, names: without waiting for anybody, and up to LARGEST_DEFINITION.
 * @throws AppError OUTSIDE; Error as `readRegularFile`
 */
export function readDefinition(
  path: string,
  roots: readonly string[],
  named: Named & { readonly by: 'definition' | 'operator' },
): Buffer {
  if (named.by === 'operator' && !beginsInside(path, roots))
    return readRegularFile(path, { limit: LARGEST_DEFINITION });
  try {
    return readRegularFile(path, { limit: LARGEST_DEFINITION, within: roots });
  } catch (error) {
    // What is there, or is not, outside of the repository is nobody's business.
    checkInside(path, roots, named);
    throw error;
  }
}

/** Whether a path begins in one of these directories, and ends outside of all, whether anything is there or not. */
export function leadsOut(path: string, roots: readonly string[]): boolean {
  return beginsInside(path, roots) && !isInside(realOf(path), roots);
}

/** Whether anything is at a path that stays in these directories; outside of them nothing is looked for. */
export function existsInside(path: string, roots: readonly string[]): boolean {
  const real = realOf(path);
  return isInside(real, roots) && existsSync(fsPath(real));
}

/** Whether a path begins in one of these directories, wherever its links lead. */
export function beginsInside(path: string, roots: readonly string[]): boolean {
  const starts = [path, join(realOf(dirname(path)), basename(path))];
  return roots.some((root) => starts.some((start) => isBelow(start, root) || isBelow(start, realOf(root))));
}

/** A path without links, as far as it exists. */
function realOf(path: string): string {
  return follow(resolve(path), MOST_LINKS);
}

function follow(path: string, links: number): string {
  try {
    return realpathSync(fsPath(path));
  } catch {
    if (path === dirname(path) || links === 0) return path;
    const at = join(follow(dirname(path), links - 1), basename(path));
    const target = linkOf(at);
    return target === undefined ? at : follow(resolve(dirname(at), target), links - 1);
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(fsPath(path));
  } catch {
    return undefined;
  }
}

function isInside(real: string, roots: readonly string[]): boolean {
  return roots.some((root) => isBelow(real, realOf(root)));
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(root.endsWith('/') ? root : `${root}/`);
}
