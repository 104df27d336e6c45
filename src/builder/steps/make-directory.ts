import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../../core/error.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { resolveInRoot } from '../../rootfs/resolve-in-root.ts';

/**
 * Makes a directory and its missing parents inside a root, 0755 and owned as given; existing ones stay as they are, and
 * symlinks are followed inside the root.
 * @param path absolute inside the root
 * @throws AppError BUILD_FAILED when something on the way is not a directory
 */
export function makeDirectory(
  root: string,
  path: string,
  owner: { readonly uid: number; readonly gid: number },
): void {
  let at = '/';
  for (const part of path.split('/').filter(Boolean)) {
    at = posix.join(at, part);
    const host = fsPath(resolveInRoot(root, at, { followLast: true }));
    const existing = lstatSync(host, { throwIfNoEntry: false });
    if (existing?.isDirectory()) continue;
    if (existing)
      throw new AppError('BUILD_FAILED', `cannot make the directory ${path}: ${at} is not a directory`);
    mkdirSync(host);
    chmodSync(host, 0o755);
    chownSync(host, owner.uid, owner.gid);
  }
}
