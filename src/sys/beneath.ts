/*
 * Files below a directory, for trees that somebody else has filled: a clone, a build context, the root of an image, a
 * cache. Their links may lead anywhere, and what they name may change between a look and an open. So no path of such a
 * tree is handed to the kernel by its text: it is opened below a descriptor of the directory, with openat2(2) where the
 * kernel has it, and else one part after the other (beneath-walk.ts). What is done to an entry is done through a
 * descriptor of the directory that it lies in, by calls that follow no link in the last place.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import { type Links, openByWalk } from './beneath-walk.ts';
import { O_PATH, pathError } from './descriptor.ts';
import {
  chmodEntry,
  createEntry,
  type EntryName,
  entryIn,
  lstatEntry,
  mkdirEntry,
  readlinkEntry,
  renameEntry,
  unlinkEntry,
} from './entry.ts';
import { openIfRegular, readToLimit } from './regular-file.ts';
import { removeTree } from './remove-tree.ts';
import { resolveLinks } from './resolve-links.ts';
import type { Syscalls } from './types.ts';

export type { Links } from './beneath-walk.ts';

export interface BeneathOptions {
  /** 'in-root' when left out. */
  readonly links?: Links;
}

interface MadeDirectory {
  readonly mode?: number;
  readonly inherits?: boolean;
}

/**
 * A directory, and all below it. Paths are path strings (core/path-bytes.ts) relative to it; a slash in front changes
 * nothing. Every method throws errors as node:fs does, with `code` and `path`; besides those of the kernel there are EXDEV
 * for a path that leaves the directory by `..` or a link (never with 'in-root', which holds it inside), ELOOP for more
 * than 40 links and for any link with 'none', and EINVAL for a NUL. Links below /proc that lead by more than their text
 * are not followed.
 */
export interface BeneathDirectory {
  /** As it was opened; for messages. */
  readonly path: string;
  /** A descriptor of it, opened with O_PATH, until close(). */
  readonly fd: number;
  /**
   * Opens what a path leads to.
   * @param flags of open(2); O_CLOEXEC is always added
   * @returns a descriptor, which the caller closes
   */
  open(path: string, flags: number, options?: BeneathOptions & { readonly mode?: number }): number;
  /**
   * Opens a regular file to be read. Nothing blocks, and no driver of a device sees an open.
   * @returns a descriptor, which the caller closes
   * @throws Error EISDIR for a directory, ENOTREG for any other thing that is no regular file
   */
  openFile(path: string, options?: BeneathOptions): number;
  /**
   * Reads a regular file.
   * @param options.limit most bytes
   * @throws Error as openFile, and EFBIG for a longer file, which is not read to its end
   */
  readFile(path: string, options: BeneathOptions & { readonly limit: number }): Buffer;
  /** What is at a path itself, a link as a link; undefined where nothing is. */
  lstat(path: string, options?: BeneathOptions): BigIntStats | undefined;
  /** What a path leads to; undefined where nothing is. */
  stat(path: string, options?: BeneathOptions): BigIntStats | undefined;
  /** The text of a link. */
  readlink(path: string, options?: BeneathOptions): string;
  /**
   * The path relative to the directory that leads to the same without a link, each of them resolved inside the directory;
   * parts that do not exist stay as they are. It may be wrong by the time that it is used.
   * @param options.followLast whether a link in the last place is followed too; it is unless something else is said
   */
  realPath(path: string, options?: { readonly followLast: boolean }): string;
  /** The names in a directory, as the file system has them. */
  list(path: string, options?: BeneathOptions): string[];
  /**
   * Does something to an entry that may not exist, by the only text that may name it. Links on the way to it are followed
   * as said, one in its own place never.
   * @param use gets a name that is right until it returns, for the calls of entry.ts, and for those of Syscalls that follow
   * no link: mknod, lutimes, and those for attributes
   * @throws Error EINVAL where the last part is none, as in '', 'a/..'; what `use` throws
   */
  at<T>(path: string, use: (entry: EntryName) => T, options?: BeneathOptions): T;
  /**
   * Makes a directory and what is missing above it; what exists stays.
   * @param options.mode of what is made, 0755 when left out; the umask does not count
   * @param options.inherits whether what is made keeps the set-group-ID bit that it has of the directory above
   * @throws Error ENOTDIR where something else is in the way
   */
  makeDirectory(path: string, options?: BeneathOptions & MadeDirectory): void;
  /**
   * Writes a new file in the place of whatever file, link or other thing is there; nothing is written through it.
   * @param options.mode 0644 when left out; the umask does not count
   * @throws Error EISDIR for a directory in its place
   */
  writeFile(path: string, data: Buffer | string, options?: BeneathOptions & { readonly mode?: number }): void;
  /** Removes an entry, a directory with all in it, and no link's target; nothing there is fine. */
  remove(path: string, options?: BeneathOptions): void;
  /** Moves an entry, over an old one as rename(2) does. */
  rename(from: string, to: string, options?: BeneathOptions): void;
  /** A directory in it, on its own: nothing leads from there to what is above it. */
  directory(path: string, options?: BeneathOptions): BeneathDirectory;
  /** Closes the descriptor; may be called twice. */
  close(): void;
}

/** Opens directories. The directory itself is named by somebody who is trusted: links to it are followed. */
export type OpenBeneath = (path: string) => BeneathDirectory;

const { O_CREAT, O_DIRECTORY, O_NOFOLLOW } = constants;
const O_CLOEXEC = 0o2000000;
/** Of openat2(2). */
const RESOLVE = { noMagicLinks: 0x02, noSymlinks: 0x04, beneath: 0x08, inRoot: 0x10 } as const;
const RESOLVES: Readonly<Record<Links, number>> = {
  'in-root': RESOLVE.inRoot | RESOLVE.noMagicLinks,
  beneath: RESOLVE.beneath | RESOLVE.noMagicLinks,
  none: RESOLVE.beneath | RESOLVE.noMagicLinks | RESOLVE.noSymlinks,
};
const PLAIN = RESOLVE.noMagicLinks | RESOLVE.noSymlinks;
const AT_FDCWD = -100;
/** A path with `..` is refused while anything is renamed (openat2(2), EAGAIN). */
const MOST_TRIES = 8;
const S_ISGID = 0o2000;
/** PATH_MAX, which counts the NUL. */
const MOST_BYTES = 4095;

/**
 * @param syscalls without them, or where the kernel or a filter of the container refuses openat2, paths are walked part
 * by part, which gives the same and needs no foreign library
 */
export function createBeneath(syscalls?: Pick<Syscalls, 'openat2'>): OpenBeneath {
  let fast: Pick<Syscalls, 'openat2'> | undefined | 'untried' = 'untried';
  const openat2 = (fd: number): Syscalls['openat2'] | undefined => {
    if (fast === 'untried') fast = syscalls && isSupported(syscalls, fd) ? syscalls : undefined;
    return fast?.openat2;
  };
  const openAt: OpenAt = (fd, path, flags, links, mode) => {
    const inside = checked(path);
    const open = openat2(fd);
    if (!open) return openByWalk(fd, inside, { flags, mode, links });
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      try {
        return open(fd, inside, flags | O_CLOEXEC, (flags & O_CREAT) === 0 ? 0 : mode, RESOLVES[links]);
      } catch (error) {
        if (codeOf(error) === 'EXDEV') throw pathError('EXDEV', path);
        if (codeOf(error) !== 'EAGAIN') throw error;
      }
    }
    return openByWalk(fd, inside, { flags, mode, links });
  };
  return (path) => createDirectory(path, openSync(fsPath(path), O_PATH | O_DIRECTORY), openAt);
}

type OpenAt = (fd: number, path: string, flags: number, links: Links, mode: number) => number;

function isSupported({ openat2 }: Pick<Syscalls, 'openat2'>, fd: number): boolean {
  try {
    closeSync(openat2(fd, '.', O_PATH | O_CLOEXEC, 0, RESOLVES.none));
    return true;
  } catch {
    return false;
  }
}

function createDirectory(name: string, fd: number, openAt: OpenAt): BeneathDirectory {
  let closed = false;
  const open: BeneathDirectory['open'] = (path, flags, { links = 'in-root', mode = 0o644 } = {}) =>
    openAt(fd, path, flags, links, mode);
  const opened = <T>(
    path: string,
    flags: number,
    options: BeneathOptions | undefined,
    use: (fd: number) => T,
  ): T => {
    const found = open(path, flags, options);
    try {
      return use(found);
    } finally {
      closeSync(found);
    }
  };
  const lstat: BeneathDirectory['lstat'] = (path, options) => found(path, O_NOFOLLOW, options);
  const readlink: BeneathDirectory['readlink'] = (path, options) => at(path, readlinkEntry, options);
  const found = (
    path: string,
    flags: number,
    options: BeneathOptions | undefined,
  ): BigIntStats | undefined => {
    try {
      return opened(path, O_PATH | flags, options, (at) => fstatSync(at, { bigint: true }));
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  };
  const at: BeneathDirectory['at'] = (path, use, options) => {
    const { above, last } = splitLast(path);
    return opened(above, O_PATH | O_DIRECTORY, options, (parent) => use(entryIn(parent, last)));
  };
  const openFile: BeneathDirectory['openFile'] = (path, options) =>
    opened(path, O_PATH, options, (at) => openIfRegular(at, path));
  return {
    path: name,
    fd,
    open,
    openFile,
    at,
    readFile: (path, options) => {
      const file = openFile(path, options);
      try {
        return readToLimit(file, options.limit, path);
      } finally {
        closeSync(file);
      }
    },
    lstat,
    stat: (path, options) => found(path, 0, options),
    readlink,
    realPath: (path, options = { followLast: true }) => {
      const linkAt = (each: string): string | undefined =>
        lstat(each)?.isSymbolicLink() ? readlink(each) : undefined;
      const real = resolveLinks(path, linkAt, options);
      if (real === undefined) throw pathError('ELOOP', path);
      return real;
    },
    list: (path, options) => opened(path, O_PATH | O_DIRECTORY, options, namesIn),
    makeDirectory: (path, options = {}) => {
      const missing: string[] = [];
      // From below, since most of a deep path is there, and looking at each part of it takes as many steps as it lies deep.
      for (let each = path; !isThere(open, each, options); each = parentOf(each)) missing.push(each);
      for (const each of missing.reverse()) makeOne({ open, at }, each, options);
    },
    writeFile: (path, data, options = {}) =>
      at(
        path,
        (entry) => {
          unlinkEntry(entry);
          writeNew(entry, data, options.mode ?? 0o644);
        },
        options,
      ),
    remove: (path, options) => {
      try {
        at(path, (entry) => removeTree(entry), options);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw error;
      }
    },
    rename: (from, to, options) =>
      at(from, (old) => at(to, (fresh) => renameEntry(old, fresh), options), options),
    directory: (path, options) =>
      createDirectory(`${name}/${path}`, open(path, O_PATH | O_DIRECTORY, options), openAt),
    close: () => {
      if (!closed) closeSync(fd);
      closed = true;
    },
  };
}

/**
 * Opens what lies at an absolute path, as openat2 with 'none' does below `/`.
 * @throws Error ELOOP for any link on the way, and what open(2) says
 */
export type OpenPlain = (path: string, flags: number) => number;

/**
 * For trees whose own path is free of links: what is opened lies where its path says.
 * @param syscalls as of createBeneath
 */
export function createOpenPlain(syscalls?: Pick<Syscalls, 'openat2'>): OpenPlain {
  let fast = syscalls;
  return (path, flags) => {
    try {
      if (path.includes('\0') || !path.startsWith('/')) throw pathError('EINVAL', path);
      if (fast) return fast.openat2(AT_FDCWD, path, flags | O_CLOEXEC, 0, PLAIN);
    } catch (error) {
      if (!['ENOSYS', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
      fast = undefined;
    }
    const root = openSync('/', O_PATH);
    try {
      return openByWalk(root, checked(path), { flags, mode: 0, links: 'none' });
    } finally {
      closeSync(root);
    }
  };
}

/** Opens a directory for as long as something is done below it. */
export function withBeneath<T>(
  openBeneath: OpenBeneath,
  path: string,
  use: (directory: BeneathDirectory) => T,
): T {
  const directory = openBeneath(path);
  try {
    return use(directory);
  } finally {
    directory.close();
  }
}

function makeOne(
  { open, at }: Pick<BeneathDirectory, 'open' | 'at'>,
  path: string,
  options: BeneathOptions & MadeDirectory,
): void {
  const { mode = 0o755, inherits = false } = options;
  if (isThere(open, path, options)) return;
  at(
    path,
    (entry) => {
      mkdirEntry(entry, 0o700);
      const inherited = inherits ? Number(lstatEntry(entry)!.mode) & S_ISGID : 0;
      chmodEntry(entry, mode | inherited);
    },
    options,
  );
}

function isThere(open: BeneathDirectory['open'], path: string, options: BeneathOptions): boolean {
  try {
    closeSync(open(path, O_PATH | O_DIRECTORY, options));
    return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return false;
  }
}

function writeNew(entry: EntryName, data: Buffer | string, mode: number): void {
  const fd = createEntry(entry);
  try {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

function namesIn(fd: number): string[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' }).map(decodePath);
}

/** The path without its last part, `` for the directory itself. */
function parentOf(path: string): string {
  const ended = path.replace(/\/+$/, '');
  return ended.slice(0, Math.max(0, ended.lastIndexOf('/')));
}

function splitLast(path: string): { readonly above: string; readonly last: string } {
  const ended = path.replace(/\/+$/, '');
  const cut = ended.lastIndexOf('/');
  const last = ended.slice(cut + 1);
  if (last === '' || last === '.' || last === '..') throw pathError('EINVAL', path);
  return { above: ended.slice(0, cut + 1), last };
}

/** The path without slashes in front; with a NUL the kernel would see less of it than everybody else. */
function checked(path: string): string {
  if (path.includes('\0')) throw pathError('EINVAL', path);
  if (Buffer.byteLength(path) > MOST_BYTES) throw pathError('ENAMETOOLONG', path);
  return path.replace(/^\/+/, '') || '.';
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
