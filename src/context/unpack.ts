import { closeSync, fchmodSync, ftruncateSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError, toAppError } from '../core/error.ts';
import type { LayerReader } from '../layer/types.ts';
import { type BeneathDirectory, createBeneath } from '../sys/beneath.ts';
import { createEntries, type Entries } from '../sys/entries.ts';
import {
  createEntry,
  type EntryName,
  linkEntry,
  lstatEntry,
  mkdirEntry,
  symlinkEntry,
} from '../sys/entry.ts';
import { createHoleCount } from '../sys/room.ts';
import { sharedSyscalls } from '../sys/syscalls.ts';
import { isHole } from '../tar/sparse.ts';
import type { LayerEntry } from '../tar/types.ts';

export interface UnpackRules {
  /** Names the archive in errors. */
  readonly what: string;
  /** Called with each entry before it is written. @throws AppError for one that may not be */
  readonly check: (entry: LayerEntry) => void;
}

/** What an archive alone can be the cause of. */
const CORRUPT = [
  'EEXIST',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'EMLINK',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'EXDEV',
];

/**
 * Writes the files, directories and links of an archive into an empty directory, with the modes of files; a later entry
 * takes the place of an earlier one of its name. No link is followed on the way to an entry, and nothing outside of the
 * directory is read, written or changed.
 * @param target named by us: links to it are followed
 * @throws AppError CORRUPT for an archive that cannot be had so; PERMISSION, DISK_FULL, OUTPUT, and what `check` throws
 */
export async function unpackEntries(
  reader: LayerReader,
  target: string,
  { what, check }: UnpackRules,
): Promise<void> {
  const root = createBeneath(sharedSyscalls())(target);
  const entries = createEntries(root, { links: 'none', make: true });
  const countHoles = createHoleCount(what, target);
  try {
    for await (const { entry, content, holes } of reader) {
      check(entry);
      if (entry.path === '') continue;
      countHoles({ path: entry.path, size: entry.size, holes });
      await guarded(entry, what, () => writeEntry(entry, content, root, entries, what));
    }
  } finally {
    entries.close();
    root.close();
  }
}

async function writeEntry(
  entry: LayerEntry,
  content: AsyncIterable<Buffer>,
  root: BeneathDirectory,
  entries: Entries,
  what: string,
): Promise<void> {
  const text = entries.at(entry.path);
  const existing = lstatEntry(text);
  if (existing?.isDirectory() && entry.type === 'dir') return;
  if (existing) {
    root.remove(entry.path, { links: 'none' });
    entries.reset();
    return writeNew(entry, content, root, entries.at(entry.path), what);
  }
  return writeNew(entry, content, root, text, what);
}

async function writeNew(
  entry: LayerEntry,
  content: AsyncIterable<Buffer>,
  root: BeneathDirectory,
  text: EntryName,
  what: string,
): Promise<void> {
  switch (entry.type) {
    case 'dir':
      return mkdirEntry(text, 0o755);
    case 'hardlink':
      return root.at(entry.linkname, (first) => link(first, text, what), { links: 'none' });
    case 'symlink':
      return symlinkEntry(entry.linkname, text);
    case 'file':
      return writeFile(text, entry, content);
    default:
      throw new AppError('CORRUPT', `${what} holds something that is no file, directory or link`);
  }
}

function link(first: EntryName, text: EntryName, what: string): void {
  // A link with a second name in another directory would lead somewhere else.
  if (!lstatEntry(first)?.isFile())
    throw new AppError('CORRUPT', `${what} holds a hard link to something that is no file`);
  linkEntry(first, text);
}

/** Makes a file out of an entry, with the permissions of its mode; holes stay holes. @throws Error EEXIST for whatever is there */
export async function writeFile(
  text: EntryName,
  entry: LayerEntry,
  content: AsyncIterable<Buffer>,
): Promise<void> {
  const fd = createEntry(text);
  try {
    let length = 0;
    let stored = 0;
    for await (const chunk of content) {
      const hole = isHole(chunk);
      for (let at = 0; !hole && at < chunk.length; )
        at += writeSync(fd, chunk, at, chunk.length - at, length + at);
      length += chunk.length;
      if (!hole) stored = length;
    }
    if (stored < length) ftruncateSync(fd, length);
    fchmodSync(fd, entry.mode & 0o777);
  } finally {
    closeSync(fd);
  }
}

/**
 * Does something for an entry.
 * @throws AppError CORRUPT, PERMISSION, DISK_FULL or OUTPUT instead of what the file system says, with the entry's name
 */
export async function guarded(
  entry: LayerEntry,
  what: string,
  work: () => Promise<void> | void,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw unpackError(error, entry, what);
  }
}

function unpackError(error: unknown, { path }: LayerEntry, what: string): AppError {
  if (error instanceof AppError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const shown = posix.join('/', path).slice(1, 200);
  const text = `${what} cannot be unpacked at "${shown}"`;
  if (CORRUPT.includes(code))
    return new AppError('CORRUPT', `${text}: ${message.slice(0, 300)}`, { cause: error });
  if (['EPERM', 'EACCES', 'EROFS'].includes(code)) return toAppError(error, 'PERMISSION', text);
  return toAppError(error, 'OUTPUT', text);
}
