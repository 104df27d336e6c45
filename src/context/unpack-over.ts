import { closeSync, utimesSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError } from '../core/error.ts';
import type { LayerReader } from '../layer/types.ts';
import type { BeneathDirectory } from '../sys/beneath.ts';
import { S_IF } from '../sys/constants.ts';
import { O_PATH, pathError } from '../sys/descriptor.ts';
import { createEntries, type Entries } from '../sys/entries.ts';
import {
  chmodEntry,
  type EntryName,
  lchownEntry,
  linkEntry,
  lstatEntry,
  mkdirEntry,
  symlinkEntry,
} from '../sys/entry.ts';
import { resolveLinks } from '../sys/resolve-links.ts';
import { createHoleCount } from '../sys/room.ts';
import type { Syscalls } from '../sys/types.ts';
import type { LayerEntry } from '../tar/types.ts';
import { guarded, writeFile } from './unpack.ts';

export interface UnpackOverRules {
  /** Names the archive in errors. */
  readonly what: string;
  /** Whose all entries become; those that the archive says unless something else is said. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly syscalls: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
}

/** The tree that is written. */
interface Tree extends UnpackOverRules {
  readonly root: BeneathDirectory;
  readonly entries: Entries;
}

/**
 * Writes the entries of an archive into a directory that may hold anything, as Docker does: an entry takes the place of
 * whatever has its name, but directories are merged, and the last entry of one says owner, mode and times. Directories
 * without an entry keep what they have; missing ones are made 0755, and are nobody's but ours. Links on the way to an entry
 * are followed below the directory, an absolute one as if it were the root, and what they lead to is made when it is
 * missing; one that leads above it by `..` is an error. Hard links may be to files that were there before. The directory
 * itself keeps owner and mode. After an error, what was written stays.
 * @throws AppError CORRUPT for an archive that cannot be had so; PERMISSION, DISK_FULL, OUTPUT
 */
export async function unpackOver(
  reader: LayerReader,
  root: BeneathDirectory,
  rules: UnpackOverRules,
): Promise<void> {
  const { what } = rules;
  const tree: Tree = { ...rules, root, entries: createEntries(root, { links: 'beneath', make: true }) };
  const directories: { readonly path: string; readonly entry: LayerEntry }[] = [];
  const countHoles = createHoleCount(what, `/proc/self/fd/${root.fd}`);
  try {
    for await (const { entry, content, holes } of reader) {
      if (entry.path === '') continue;
      countHoles({ path: entry.path, size: entry.size, holes });
      await guarded(entry, what, async () => {
        const path = await writeEntry(tree, entry, content);
        if (entry.type === 'dir') directories.push({ path, entry });
      });
    }
    for (const { path, entry } of directories)
      await guarded(entry, what, () => setTimesOfDirectory(tree, path, entry));
  } finally {
    tree.entries.close();
  }
}

/** @returns where it was written */
async function writeEntry(tree: Tree, entry: LayerEntry, content: AsyncIterable<Buffer>): Promise<string> {
  const { root, entries } = tree;
  const path = followParents(root, entry.path);
  let text = entries.at(path);
  const existing = lstatEntry(text);
  const merged = existing?.isDirectory() === true && entry.type === 'dir';
  if (existing && !merged) {
    root.remove(path, { links: 'beneath' });
    // What was opened may have been in it.
    entries.reset();
    text = entries.at(path);
  }
  // What overlays take for "nothing is here", as Docker does.
  if (entry.type === 'char' && entry.devmajor === 0 && entry.devminor === 0) return path;
  if (!merged) await make(tree, entry, text, content);
  finish(tree, entry, path, text);
  return path;
}

async function make(
  { root, what, syscalls }: Tree,
  entry: LayerEntry,
  text: EntryName,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  switch (entry.type) {
    case 'dir':
      return mkdirEntry(text, 0o755);
    case 'hardlink': {
      const first = followParents(root, entry.linkname);
      if (root.lstat(first, { links: 'beneath' })?.isDirectory())
        throw new AppError('CORRUPT', `${what} holds a hard link to a directory`);
      return root.at(first, (old) => linkEntry(old, text), { links: 'beneath' });
    }
    case 'symlink':
      return symlinkEntry(entry.linkname, text);
    case 'file':
      return writeFile(text, entry, content);
    default: {
      const type = { char: S_IF.CHR, block: S_IF.BLK, fifo: S_IF.IFO }[entry.type];
      syscalls.mknod(text, type | entry.mode, entry.devmajor, entry.devminor);
    }
  }
}

/** A hard link is one more name of a file, which the entry gives another owner, mode and time as well. */
function finish(tree: Tree, entry: LayerEntry, path: string, text: EntryName): void {
  const { owner = entry, syscalls } = tree;
  lchownEntry(text, owner.uid, owner.gid);
  setXattrs(tree, entry, path, text);
  const isLink = entry.type === 'symlink' || (entry.type === 'hardlink' && isSymlink(text));
  if (!isLink) chmodEntry(text, entry.mode);
  if (!isLink || entry.type === 'symlink') syscalls.lutimes(text, ...timesOf(entry));
}

/** Those that the file system does not take, or that we may not set, are left out; those of a link are its target's. */
function setXattrs({ root, what, syscalls }: Tree, entry: LayerEntry, path: string, text: EntryName): void {
  const set = (target: EntryName): void => {
    for (const [name, value] of entry.xattrs ?? []) {
      try {
        syscalls.setXattr(target, name, value);
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (['E2BIG', 'ENOSPC', 'ERANGE'].includes(code))
          throw new AppError('CORRUPT', `${what} has attributes that the file system has no room for`, {
            cause: error,
          });
        if (!['EOPNOTSUPP', 'ENOTSUP', 'EPERM'].includes(code)) throw error;
      }
    }
  };
  if (entry.xattrs === undefined) return;
  if (entry.type === 'symlink') root.at(root.realPath(path), set, { links: 'none' });
  else set(text);
}

/** When all is written, since that changes them. Another entry may have taken its place: then that gets the times. */
function setTimesOfDirectory({ root, syscalls }: Tree, path: string, entry: LayerEntry): void {
  const times = timesOf(entry);
  if (root.lstat(path, { links: 'beneath' })?.isDirectory())
    return root.at(path, (text) => syscalls.lutimes(text, ...times), { links: 'beneath' });
  // A link is followed, an absolute one as if the root were its own.
  const real = posix.dirname(followParents(root, posix.join(path, 'entry')));
  const fd = root.open(real, O_PATH, { links: 'beneath' });
  try {
    utimesSync(`/proc/self/fd/${fd}`, times[0], times[0]);
  } finally {
    closeSync(fd);
  }
}

/** The last second that Go's time of a file has room for. */
const MOST_SECONDS = 9_223_372_036;

/** Times before the epoch and after what Go can tell are the epoch. */
function timesOf({ mtime, mtimeNsec }: LayerEntry): [number, number] {
  return mtime < 0 || mtime > MOST_SECONDS ? [0, 0] : [mtime, mtimeNsec];
}

function isSymlink(text: EntryName): boolean {
  return lstatEntry(text)?.isSymbolicLink() === true;
}

/**
 * The path with the links on the way to its last part replaced, as far as following them below the root does not do: an
 * absolute link leads to a place below it, and so does one to what is missing.
 * @throws Error EXDEV where a relative link leads above the root, ENOTDIR, ELOOP
 */
function followParents(root: BeneathDirectory, path: string): string {
  const parent = posix.dirname(path);
  if (parent === '.') return path;
  let leads = false;
  try {
    closeSync(root.open(parent, O_PATH, { links: 'beneath' }));
    return path;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EXDEV') throw error;
    leads = code === 'EXDEV';
  }
  const seen = { absolute: false, left: false };
  const linkAt = (at: string): string | undefined => {
    if (!root.lstat(at)?.isSymbolicLink()) return undefined;
    const text = root.readlink(at);
    seen.absolute ||= text.startsWith('/');
    return text;
  };
  const onLeave = (): void => {
    seen.left ||= !seen.absolute;
  };
  const real = resolveLinks(parent, linkAt, { followLast: true, onLeave });
  if (real === undefined) throw pathError('ELOOP', path);
  if (leads && (!seen.absolute || seen.left)) throw pathError('EXDEV', path);
  return posix.join(real, posix.basename(path));
}
