import { lstatSync, readlinkSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../core/error.ts';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { resolveLinks } from '../sys/resolve-links.ts';

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

function linkOrNone(path: string | Buffer): string | undefined {
  try {
    if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return undefined;
    return decodePath(readlinkSync(path, { encoding: 'buffer' }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined;
    throw error;
  }
}
