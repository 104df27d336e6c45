import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../core/error.ts';
import { decodePath, fsPath } from '../core/path-bytes.ts';

/** As the kernel's own limit (path_resolution(7)). */
const MOST_LINKS = 40;

/**
 * The host path of a path inside a root, with every symlink on the way resolved inside the root too, as a process with
 * that root would see it. Parts that do not exist, or cannot since a file is above them, stay as they are.
 * @param options.followLast whether a symlink in the last place is resolved as well
 * @throws AppError BUILD_FAILED for a loop of symlinks
 */
export function resolveInRoot(root: string, path: string, options: { readonly followLast: boolean }): string {
  const linkAt = (at: string): string | undefined => linkOrNone(fsPath(posix.join(root, at)));
  const found = resolveLinks(path, linkAt, options);
  if (found === undefined)
    throw new AppError('BUILD_FAILED', `${path} has too many levels of symlinks`, { where: { path } });
  return posix.join(root, found);
}

/**
 * A path relative to a root with every symlink on the way replaced; none leads out of the root. Undefined for a loop.
 * @param linkAt the target of the symlink at a path, undefined for what is none
 */
export function resolveLinks(
  path: string,
  linkAt: (path: string) => string | undefined,
  options: { readonly followLast: boolean },
): string | undefined {
  const todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.shift()!;
    if (part === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const last = todo.length === 0;
    const target = last && !options.followLast ? undefined : linkAt([...at, part].join('/'));
    if (target === undefined) {
      at.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) return undefined;
    if (target.startsWith('/')) at = [];
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return at.join('/');
}

function linkOrNone(path: string | Buffer): string | undefined {
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
    return decodePath(readlinkSync(path, { encoding: 'buffer' }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
