import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { listNames } from '../core/list-names.ts';
import { fsPath } from '../core/path-bytes.ts';
import { O_PATH, pathError } from './descriptor.ts';
import { type EntryName, entryIn, lstatEntry, rmdirEntry, unlinkEntry } from './entry.ts';

export interface RemoveTreeOptions {
  /** The number of the file system of all that is to go; any when left out. */
  readonly dev?: number;
  /** When to stop, as performance.now tells the time. */
  readonly until?: number;
}

/** A directory on the way from the top to what is being emptied. */
interface Level {
  readonly name: string;
  readonly dev: bigint;
  readonly ino: bigint;
  readonly left: string[];
}

const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Removes a file or a directory with all in it, however deep that is: what is in a tree may have longer paths than the
 * kernel takes, when it was made from inside. No link is followed, and nothing there is fine.
 * @param path a path string whose directory is ours or named by a descriptor
 * @returns whether nothing is left; false when the time was up
 * @throws Error EXDEV for a directory on another file system than `dev`, EBUSY when a directory is moved meanwhile, and
 *   what unlink(2), open(2) and rmdir(2) say
 */
export function removeTree(path: string, { dev, until }: RemoveTreeOptions = {}): boolean {
  const isLate = (): boolean => until !== undefined && performance.now() >= until;
  const top = path as EntryName;
  if (!lstatEntry(top)) return true;
  let fd = enterUnlessFile(top, isLate);
  if (fd === 'late') return false;
  if (fd === 'gone') return true;
  const levels: Level[] = [];
  const enter = (opened: number, name: string): void => {
    const stat = fstatSync(opened, { bigint: true });
    if (dev !== undefined && Number(stat.dev) !== dev) {
      closeSync(opened);
      throw Object.assign(new Error(`${path} has a part on another file system`), { code: 'EXDEV', path });
    }
    if (levels.length > 0) closeSync(fd as number);
    fd = opened;
    levels.push({ name, dev: stat.dev, ino: stat.ino, left: listNames(`/proc/self/fd/${fd}`) });
  };
  enter(fd, '');
  try {
    while (levels.length > 0) {
      const { name, left } = levels.at(-1)!;
      const next = left.pop();
      if (next === undefined) {
        levels.pop();
        const above = levels.at(-1);
        if (above === undefined) break;
        const up = openSync(`/proc/self/fd/${fd}/..`, DIRECTORY);
        closeSync(fd);
        fd = up;
        const stat = fstatSync(fd, { bigint: true });
        if (stat.ino !== above.ino || stat.dev !== above.dev)
          throw pathError('EBUSY', path, 'a directory in it was moved while it was removed');
        rmdirEntry(entryIn(fd, name));
        continue;
      }
      const found = enterUnlessFile(entryIn(fd, next), isLate);
      if (found === 'late') return false;
      if (found !== 'gone') enter(found, next);
    }
  } finally {
    closeSync(fd);
  }
  rmdirEntry(top);
  return true;
}

/** Removes what is no directory, and opens what is one. */
function enterUnlessFile(entry: EntryName, isLate: () => boolean): number | 'gone' | 'late' {
  if (isLate()) return 'late';
  try {
    unlinkEntry(entry);
    return 'gone';
  } catch (error) {
    // What is a directory; POSIX says EPERM, which Linux also says of a file that must not be changed.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EISDIR' && code !== 'EPERM') throw error;
    try {
      return openSync(fsPath(entry), DIRECTORY);
    } catch (other) {
      if ((other as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
      throw (other as NodeJS.ErrnoException).code === 'ENOTDIR' ? error : other;
    }
  }
}
