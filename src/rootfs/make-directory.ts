import { AppError } from '../core/error.ts';
import type { BeneathDirectory } from '../sys/beneath.ts';
import { lchownEntry } from '../sys/entry.ts';

/**
 * Makes a directory and its missing parents inside a root, 0755 and with the set-gid bit of the one above; existing ones
 * stay as they are, and symlinks are followed inside the root, also to what is missing.
 * @param path absolute inside the root
 * @param owner nobody but us, with the group of a set-gid directory above, when left out
 * @returns what was made, relative to the root, without links
 * @throws AppError BUILD_FAILED when something on the way is not a directory
 */
export function makeDirectory(
  root: BeneathDirectory,
  path: string,
  owner?: { readonly uid: number; readonly gid: number },
): string[] {
  const made: string[] = [];
  const parts = root.realPath(path).split('/').filter(Boolean);
  for (const [last] of parts.entries()) {
    const at = parts.slice(0, last + 1).join('/');
    const existing = root.lstat(at);
    if (existing?.isDirectory()) continue;
    if (existing)
      throw new AppError('BUILD_FAILED', `cannot make the directory ${path}: /${at} is not a directory`);
    root.makeDirectory(at, { inherits: true });
    if (owner) root.at(at, (entry) => lchownEntry(entry, owner.uid, owner.gid));
    made.push(at);
  }
  return made;
}
