import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fsPath } from '../core/path-bytes.ts';
import { O_PATH, pathError } from './descriptor.ts';
import { entryIn, readlinkEntry } from './entry.ts';
import { MOST_LINKS } from './resolve-links.ts';

/**
 * What becomes of links: 'in-root' resolves them as a process would that has the directory as its root, `..` too;
 * 'beneath' follows those that stay inside, and refuses absolute ones and those that leave; 'none' refuses all.
 */
export type Links = 'in-root' | 'beneath' | 'none';

const { O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = constants;

/**
 * Does what openat2(2) does with RESOLVE_IN_ROOT or RESOLVE_BENEATH, by opening one part of the path after the other, none
 * of them through a link: the text of a link is put in the place of its name. `..` goes back to the directory that the
 * walk came from, wherever that was moved meanwhile.
 * @param root a descriptor of the directory
 * @param path without a slash in front
 * @returns a descriptor, which the caller closes
 * @throws Error as openat2 does
 */
export function openByWalk(
  root: number,
  path: string,
  { flags, mode, links }: { readonly flags: number; readonly mode: number; readonly links: Links },
): number {
  const entered = [root];
  const todo = partsOf(path);
  let followed = 0;
  const here = (): number => entered.at(-1)!;
  const leave = (): void => {
    if (entered.length > 1) closeSync(entered.pop()!);
    else if (links !== 'in-root') throw pathError('EXDEV', path);
  };
  const follow = (name: string): void => {
    followed += 1;
    if (links === 'none' || followed > MOST_LINKS) throw pathError('ELOOP', path);
    const text = linkText(here(), name);
    if (text === undefined) {
      // Another thing has taken the place of the link, and is looked at anew.
      todo.unshift(name);
      return;
    }
    if (text.startsWith('/')) {
      if (links === 'beneath') throw pathError('EXDEV', path);
      while (entered.length > 1) leave();
    }
    todo.unshift(...partsOf(text));
  };
  try {
    for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
      if (name === '.') continue;
      if (name === '..') {
        leave();
        continue;
      }
      const last = todo.length === 0;
      const next = openPart(here(), name, last && (flags & O_CREAT) !== 0);
      if (next === undefined) return openSync(fsPath(entryIn(here(), name)), flags | O_NOFOLLOW, mode);
      let kept = false;
      try {
        const stat = fstatSync(next, { bigint: true });
        if (stat.isSymbolicLink() && !(last && keepsLink(flags, path))) follow(name);
        else if (last) {
          kept = (flags & O_PATH) !== 0;
          return kept ? checkedPath(next, stat, flags, path) : reopen(here(), name, flags, mode);
        } else if (stat.isDirectory()) {
          entered.push(next);
          kept = true;
        } else throw pathError('ENOTDIR', path);
      } finally {
        if (!kept) closeSync(next);
      }
    }
    return openSync(`/proc/self/fd/${here()}`, flags & ~O_NOFOLLOW, mode);
  } finally {
    for (const fd of entered.slice(1)) closeSync(fd);
  }
}

/** A slash at the end stands for the directory itself. */
function partsOf(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return path.endsWith('/') ? [...parts, '.'] : parts;
}

function openPart(at: number, name: string, mayLack: boolean): number | undefined {
  try {
    return openSync(fsPath(entryIn(at, name)), O_PATH | O_NOFOLLOW);
  } catch (error) {
    if (mayLack && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function linkText(at: number, name: string): string | undefined {
  try {
    return readlinkEntry(entryIn(at, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined;
    throw error;
  }
}

/** Whether a link in the last place is what is opened; @throws Error where it must not be there. */
function keepsLink(flags: number, path: string): boolean {
  if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) throw pathError('EEXIST', path);
  if ((flags & O_NOFOLLOW) === 0) return false;
  if ((flags & O_PATH) === 0) throw pathError('ELOOP', path);
  return true;
}

function checkedPath(fd: number, stat: BigIntStats, flags: number, path: string): number {
  if ((flags & O_DIRECTORY) === 0 || stat.isDirectory()) return fd;
  closeSync(fd);
  throw pathError('ENOTDIR', path);
}

function reopen(at: number, name: string, flags: number, mode: number): number {
  return openSync(fsPath(entryIn(at, name)), flags | O_NOFOLLOW, mode);
}
