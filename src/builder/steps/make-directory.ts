import { AppError } from '../../core/error.ts';
import { createBeneath, withBeneath } from '../../sys/beneath.ts';
import { lchownEntry } from '../../sys/entry.ts';
import type { Syscalls } from '../../sys/types.ts';

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
  syscalls?: Pick<Syscalls, 'openat2'>,
): void {
  withBeneath(createBeneath(syscalls), root, (directory) => {
    const parts = directory.realPath(path).split('/').filter(Boolean);
    for (const [last] of parts.entries()) {
      const at = parts.slice(0, last + 1).join('/');
      const existing = directory.lstat(at);
      if (existing?.isDirectory()) continue;
      if (existing)
        throw new AppError('BUILD_FAILED', `cannot make the directory ${path}: /${at} is not a directory`);
      directory.makeDirectory(at);
      directory.at(at, (entry) => lchownEntry(entry, owner.uid, owner.gid));
    }
  });
}
