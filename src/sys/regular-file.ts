/*
 * Reading files that somebody else has put there: regular files only, without waiting for anybody, up to a limit. A pipe
 * without a writer, a terminal or /dev/zero in their place is an error at once.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { fsPath } from '../core/path-bytes.ts';
import { O_PATH, pathError, pathOfFd } from './descriptor.ts';
import { fileType } from './file-stat.ts';

const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = constants;
const CHUNK = 256 * 1024;

const KINDS = {
  symlink: 'a link',
  char: 'a character device',
  block: 'a block device',
  fifo: 'a named pipe',
  socket: 'a socket',
} as const;

export interface ReadFileOptions {
  /** Most bytes. */
  readonly limit: number;
  /** Directories of which one has to hold the file once all links are followed; anywhere when left out. */
  readonly within?: readonly string[];
}

/**
 * Reads a file of the host. Where it lies is asked of the file that was opened, so no link can be changed in between.
 * @throws Error as node:fs does, with `code` and `path`: EXDEV when it is outside of `within`, EISDIR for a directory,
 * ENOTREG for any other thing that is no regular file, EFBIG for a longer file, and what the kernel says (ENOENT, ENOTDIR,
 * EACCES, ELOOP)
 */
export function readRegularFile(path: string, { limit, within }: ReadFileOptions): Buffer {
  if (path.includes('\0')) throw pathError('EINVAL', path);
  const found = openSync(fsPath(path), O_PATH);
  let file: number;
  try {
    if (within) checkWithin(found, path, within);
    file = openIfRegular(found, path);
  } finally {
    closeSync(found);
  }
  try {
    return readToLimit(file, limit, path);
  } finally {
    closeSync(file);
  }
}

/** Most bytes of a key, a secret, a bundle of certificates or a list of users; the largest of them have some hundred KiB. */
const OWN_FILE_BYTES = 64 << 20;

/**
 * Reads a file that an option or variable names. It may lie anywhere, and links are followed; a mistake still must not wait
 * or read for ever.
 * @throws Error as readRegularFile
 */
export function readOwnFile(path: string): Buffer {
  return readRegularFile(path, { limit: OWN_FILE_BYTES });
}

/**
 * Opens to be read what a descriptor of O_PATH names, when it is a regular file; a driver of a device never sees it.
 * @param path for messages
 * @param flags of open(2), to be read when left out
 * @returns a descriptor of its own
 * @throws Error EISDIR, ENOTREG
 */
export function openIfRegular(found: number, path: string, flags: number = O_RDONLY): number {
  const type = fileType(fstatSync(found, { bigint: true }));
  if (type === 'dir') throw pathError('EISDIR', path);
  if (type !== 'file') throw pathError('ENOTREG', path, `it is ${KINDS[type]}, not a regular file`);
  return openSync(`/proc/self/fd/${found}`, flags | O_NONBLOCK | O_NOCTTY);
}

/**
 * Reads an open file from where it stands to its end.
 * @param path for messages
 * @throws Error EFBIG for more than `limit` bytes, of which no more than that many are read
 */
export function readToLimit(file: number, limit: number, path: string): Buffer {
  const tooLarge = (): Error => pathError('EFBIG', path, `it has more than ${limit} bytes`);
  const { size } = fstatSync(file);
  if (size > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // Files of /proc have no size, and one may grow. Where the size was true, one byte of room is enough to find the end.
  for (let room = size + 1; ; room = size > 0 && length === size ? 1 : CHUNK) {
    const chunk = Buffer.allocUnsafe(Math.min(room, limit + 1 - length));
    const count = readSync(file, chunk);
    if (count === 0) return Buffer.concat(chunks, length);
    chunks.push(chunk.subarray(0, count));
    length += count;
    if (length > limit) throw tooLarge();
  }
}

function checkWithin(found: number, path: string, within: readonly string[]): void {
  const real = pathOfFd(found);
  for (const root of within) if (isBelow(real, realpathOrNone(root))) return;
  const where = within.length === 1 ? within[0] : `all of ${within.join(', ')}`;
  const leads = real === path ? 'it is' : `it leads to ${real}, which is`;
  throw pathError('EXDEV', path, `${leads} outside of ${where}`);
}

function isBelow(path: string, root: string | undefined): boolean {
  if (root === undefined) return false;
  return root === '/' || path === root || path.startsWith(`${root}/`);
}

function realpathOrNone(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
