import { lstatSync, readlinkSync, type Stats } from 'node:fs';
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
  const todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.shift()!;
    if (part === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const here = posix.join(root, ...at, part);
    const last = todo.length === 0;
    const stat = last && !options.followLast ? undefined : lstatOrNone(fsPath(here));
    if (!stat?.isSymbolicLink()) {
      at.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS)
      throw new AppError('BUILD_FAILED', `${path} has too many levels of symlinks`, { where: { path } });
    const target = decodePath(readlinkSync(fsPath(here), { encoding: 'buffer' }));
    if (target.startsWith('/')) at = [];
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return posix.join(root, ...at);
}

function lstatOrNone(path: string | Buffer): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
