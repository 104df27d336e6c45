import { closeSync, fchmodSync, writeSync } from 'node:fs';
import { posix } from 'node:path';
import { AppError, toAppError } from '../core/error.ts';
import type { LayerReader } from '../layer/types.ts';
import { type BeneathDirectory, createBeneath, type Links } from '../sys/beneath.ts';
import { S_IF } from '../sys/constants.ts';
import { createEntries, type Entries } from '../sys/entries.ts';
import {
  chmodEntry,
  createEntry,
  type EntryName,
  entryIn,
  lchownEntry,
  linkEntry,
  lstatEntry,
  mkdirEntry,
  symlinkEntry,
} from '../sys/entry.ts';
import type { Syscalls } from '../sys/types.ts';
import type { LayerEntry } from '../tar/types.ts';

export interface UnpackRules {
  /** Names the archive in errors. */
  readonly what: string;
  /** What becomes of links on the way to an entry: 'in-root', or 'none' to refuse them. */
  readonly links: Extract<Links, 'in-root' | 'none'>;
  /** 'all' gives owners, modes, attributes and times; 'modes' only those of files. */
  readonly metadata: 'all' | 'modes';
  /** 'modes' needs no call but those of node:fs. */
  readonly syscalls?: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'> & Partial<Pick<Syscalls, 'openat2'>>;
  /** Called with each entry before it is written. @throws AppError for one that may not be */
  readonly check?: (entry: LayerEntry) => void;
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
 * Writes the entries of an archive into an empty directory; a later entry takes the place of an earlier one of its name.
 * Nothing outside of the directory is read, written or changed, whatever links the archive makes on the way.
 * @param target named by us: links to it are followed
 * @throws AppError CORRUPT for an archive that cannot be had so; PERMISSION, DISK_FULL, OUTPUT, and what `check` throws
 */
export async function unpackEntries(reader: LayerReader, target: string, rules: UnpackRules): Promise<void> {
  const { syscalls, what } = rules;
  const { openat2 } = syscalls ?? {};
  const root = createBeneath(openat2 && { openat2 })(target);
  const directories: LayerEntry[] = [];
  const entries = createEntries(root, { links: rules.links, make: true });
  const guarded = async (entry: LayerEntry, work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      throw unpackError(error, entry, what);
    }
  };
  try {
    for await (const { entry, content } of reader) {
      rules.check?.(entry);
      if (entry.type === 'dir') directories.push(entry);
      if (entry.path === '') continue;
      await guarded(entry, () => writeEntry(entry, content, root, entries, rules));
    }
    if (rules.metadata === 'all')
      for (const entry of directories.toReversed())
        await guarded(entry, () => finishDirectory(entry, root, rules));
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
  rules: UnpackRules,
): Promise<void> {
  const text = entries.at(entry.path);
  const existing = lstatEntry(text);
  if (existing?.isDirectory() && entry.type === 'dir') return;
  if (existing) {
    root.remove(entry.path, { links: rules.links });
    entries.reset();
    return writeNew(entry, content, root, entries.at(entry.path), rules);
  }
  return writeNew(entry, content, root, text, rules);
}

async function writeNew(
  entry: LayerEntry,
  content: AsyncIterable<Buffer>,
  root: BeneathDirectory,
  text: EntryName,
  rules: UnpackRules,
): Promise<void> {
  const { links, syscalls } = rules;
  switch (entry.type) {
    case 'dir':
      mkdirEntry(text, 0o755);
      return;
    case 'hardlink':
      return root.at(entry.linkname, (first) => link(first, text, rules), { links });
    case 'symlink':
      symlinkEntry(entry.linkname, text);
      break;
    case 'file':
      await writeFile(text, entry, content);
      break;
    default: {
      const type = { char: S_IF.CHR, block: S_IF.BLK, fifo: S_IF.IFO }[entry.type];
      syscalls!.mknod(text, type | entry.mode, entry.devmajor, entry.devminor);
    }
  }
  if (rules.metadata === 'all') finish(text, entry, rules);
}

function link(first: EntryName, text: EntryName, { what, links }: UnpackRules): void {
  const stat = lstatEntry(first);
  // A link with a second name in another directory would lead somewhere else.
  if (stat?.isDirectory() || (links === 'none' && !stat?.isFile()))
    throw new AppError('CORRUPT', `${what} holds a hard link to something that is no file`);
  linkEntry(first, text);
}

async function writeFile(text: EntryName, entry: LayerEntry, content: AsyncIterable<Buffer>): Promise<void> {
  const fd = createEntry(text);
  try {
    for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
    fchmodSync(fd, entry.mode & 0o777);
  } finally {
    closeSync(fd);
  }
}

/** An entry of a directory may have been replaced by another one since. */
function finishDirectory(entry: LayerEntry, root: BeneathDirectory, rules: UnpackRules): void {
  const { links } = rules;
  if (entry.path === '') return finish(entryIn(root.fd, '.'), entry, rules);
  if (root.lstat(entry.path, { links })?.isDirectory())
    root.at(entry.path, (text) => finish(text, entry, rules), { links });
}

function finish(text: EntryName, entry: LayerEntry, { syscalls }: UnpackRules): void {
  lchownEntry(text, entry.uid, entry.gid);
  if (entry.type !== 'symlink') chmodEntry(text, entry.mode);
  for (const [name, value] of entry.xattrs ?? []) syscalls!.setXattr(text, name, value);
  syscalls!.lutimes(text, entry.mtime, entry.mtimeNsec);
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
