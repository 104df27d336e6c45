/*
 * Files of a directory that others may write to as well, such as a cache on a shared volume. It is to hold no links: what is
 * opened has to lie where its path says, which is asked of the kernel once it is open, and whatever is done to an entry is
 * done through a descriptor of the directory that it lies in. Paths are absolute, and that of the directory is free of links
 * (realPathOf). Every function throws as node:fs does, and ELOOP where a link is on the way.
 */
import {
  closeSync,
  constants,
  createReadStream,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  realpathSync,
  type Stats,
  utimesSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { listNames } from '../core/list-names.ts';
import { fsPath } from '../core/path-bytes.ts';
import { O_PATH, pathError, pathOfFd } from './descriptor.ts';
import {
  createEntry,
  type EntryName,
  entryIn,
  linkEntry,
  mkdirEntry,
  renameEntry,
  unlinkEntry,
} from './entry.ts';
import { openIfRegular, readToLimit } from './regular-file.ts';
import { removeTree } from './remove-tree.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants;

/** The path without links; parts that do not exist stay as they are. */
export function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path) return path;
    return join(realPathOf(above), basename(path));
  }
}

/** What is there; undefined where nothing is. @throws Error ELOOP for a link in its place, too */
export function statPlain(path: string): Stats | undefined {
  return ifThere(() => withPlain(path, 0, (fd) => fstatSync(fd)));
}

/** Whether anything is there; a link, and what lies behind one, counts as nothing. */
export function isThere(path: string): boolean {
  try {
    return statPlain(path) !== undefined;
  } catch (error) {
    if (codeOf(error) === 'ELOOP') return false;
    throw error;
  }
}

/**
 * Opens a regular file, without waiting.
 * @param flags of open(2), to be read when left out
 * @returns a descriptor, which the caller closes
 * @throws Error ENOENT, EISDIR, ENOTREG
 */
export function openPlainFile(path: string, flags?: number): number {
  return withPlain(path, 0, (fd) => openIfRegular(fd, path, flags));
}

/** Reads a regular file. @param limit most bytes @throws Error as openPlainFile, and EFBIG */
export function readPlainFile(path: string, limit: number): Buffer {
  const fd = openPlainFile(path);
  try {
    return readToLimit(fd, limit, path);
  } finally {
    closeSync(fd);
  }
}

/** A stream over a regular file, or `length` bytes of it, which may be none. @throws Error as openPlainFile */
export function streamPlainFile(
  path: string,
  {
    start = 0,
    length,
    ...options
  }: {
    readonly start?: number;
    readonly length?: number;
    readonly highWaterMark?: number;
    readonly signal?: AbortSignal;
  },
): Readable {
  const fd = openPlainFile(path);
  if (length === undefined) return createReadStream('', { ...options, fd, start });
  // The last byte, which node:fs asks for, is in no empty part.
  if (length > 0) return createReadStream('', { ...options, fd, start, end: start + length - 1 });
  closeSync(fd);
  return Readable.from([], { objectMode: false });
}

/** The names in a directory. @throws Error ENOENT, ENOTDIR */
export function namesPlain(path: string): string[] {
  return withPlain(path, O_DIRECTORY, (fd) => listNames(`/proc/self/fd/${fd}`));
}

/** Opens a directory. @returns a descriptor, which the caller closes @throws Error ENOENT, ENOTDIR */
export function openPlainDirectory(path: string): number {
  return withPlain(path, O_DIRECTORY, (fd) => openSync(`/proc/self/fd/${fd}`, O_RDONLY | O_DIRECTORY));
}

/** Does something to an entry, with the calls of entry.ts. @throws Error what `use` throws, and ENOENT, ENOTDIR */
export function atPlain<T>(path: string, use: (entry: EntryName) => T): T {
  return withPlain(dirname(path), O_DIRECTORY, (fd) => use(entryIn(fd, basename(path))));
}

/** Attempts at something that others take the ground from, as the directory that a file is about to lie in. */
const MOST_ATTEMPTS = 50;

/**
 * Does something to a path whose directory, empty, another process may remove at any time, and does it again where that
 * happened.
 *
 * @param work makes the directory first
 * @param codes of errors that tell that others were at the same
 * @throws Error what `work` throws; one of these after many attempts
 */
export function whereOthersRemove<T>(work: () => T, codes: readonly string[] = ['ENOENT']): T {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return work();
    } catch (error) {
      if (attempt === MOST_ATTEMPTS || !codes.includes(codeOf(error) ?? '')) throw error;
    }
  }
}

/** Makes a directory and what is missing above it. @throws Error ENOTDIR where something else is in the way */
export function makePlainDirectory(path: string): void {
  whereOthersRemove(() => makeOnce(path));
}

/** @throws Error ENOENT where what is above it was removed meanwhile */
function makeOnce(path: string): void {
  try {
    withPlain(path, O_DIRECTORY, () => {});
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    if (dirname(path) !== path) makeOnce(dirname(path));
    try {
      atPlain(path, (entry) => mkdirEntry(entry));
    } catch (made) {
      // Another process was first.
      if (codeOf(made) !== 'EEXIST') throw made;
      withPlain(path, O_DIRECTORY, () => {});
    }
  }
}

/**
 * Writes a file that is not there yet.
 * @param options.flush whether it is on the disk when this returns
 * @throws Error EEXIST for whatever is there
 */
export function writeNewPlain(
  path: string,
  data: string | Buffer,
  { flush = false }: { readonly flush?: boolean } = {},
): void {
  atPlain(path, (entry) => {
    const fd = createEntry(entry);
    try {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data;
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      fchmodSync(fd, 0o644);
      if (flush) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  });
}

/** Writes a file in the place of whatever file or link is there. */
export function writePlain(path: string, data: string | Buffer): void {
  atPlain(path, unlinkEntry);
  writeNewPlain(path, data);
}

/** Renames an entry, over an old one. */
export function movePlain(from: string, to: string): void {
  atPlain(from, (old) => atPlain(to, (fresh) => renameEntry(old, fresh)));
}

/** Gives a file another name. @throws Error EEXIST */
export function linkPlain(from: string, to: string): void {
  atPlain(from, (old) => atPlain(to, (fresh) => linkEntry(old, fresh)));
}

/** Removes an entry with all in it, and no link's target; nothing there is fine. */
export function removePlain(path: string): void {
  ifThere(() => atPlain(path, (entry) => removeTree(entry)));
}

/** Sets the times of what is there to now. */
export function touchPlain(path: string): void {
  const now = new Date();
  withPlain(path, 0, (fd) => utimesSync(`/proc/self/fd/${fd}`, now, now));
}

function withPlain<T>(path: string, flags: number, use: (fd: number) => T): T {
  const fd = openSync(fsPath(path), O_PATH | O_NOFOLLOW | flags);
  try {
    // Between the open and the question it may have been renamed over, which its own place does not change.
    const real = pathOfFd(fd);
    const isLink = fstatSync(fd).isSymbolicLink();
    if (isLink || (real !== path && real !== `${path} (deleted)`))
      throw pathError('ELOOP', path, isLink ? 'it is a link' : `a link on the way leads to ${real}`);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
