import {
  chmodSync,
  chownSync,
  constants,
  createReadStream,
  createWriteStream,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs';
import { connect, Socket } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isatty, WriteStream } from 'node:tty';
import { makeDirectories } from '../core/make-directories.ts';
import { fsPath } from '../core/path-bytes.ts';

export interface OutputFileOptions {
  /** Permissions of the file. Left out, a file that is replaced keeps its own, and a new one has the usual ones. */
  readonly mode?: number;
  /** A file that is replaced keeps its owner whatever its mode is. */
  readonly keepsOwner?: true;
  /** Missing directories above it are made. */
  readonly parents?: boolean;
  readonly signal?: AbortSignal;
}

/** What the path of an output leads to, with all symlinks followed. */
type Place =
  | { readonly type: 'file'; readonly path: string; readonly before: Stats | undefined }
  | { readonly type: 'special'; readonly path: string; readonly stats: Stats }
  | { readonly type: 'descriptor'; readonly fd: number };

/** As many as the kernel follows (path_resolution(7)). */
const MOST_LINKS = 40;
/** How long a named pipe may have nobody who reads it. */
const READER_MS = 10_000;
const READER_LOOK_MS = 50;
/** Errors of a directory in which no file can be made, or replaced, though the file itself may take what is written. */
const ONLY_IN_PLACE = ['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EXDEV'];

/**
 * Writes an output to where an option says. A regular file is replaced as a whole or not at all, and so is a file that is
 * not there yet; symlinks are followed and stay. Into anything else that can be written to the output is written: devices,
 * named pipes, sockets, and descriptors of this process such as /dev/stdout. A regular file that cannot be replaced, as one
 * that is mounted by itself, is written in place.
 * @param write writes all of it, and may end the stream
 * @throws Error as of node:fs, EISDIR and ELOOP among them; ENXIO for a named pipe that nobody reads; what `write` throws; the
 * reason of the signal
 */
export async function writeOutputFile(
  path: string,
  write: (out: Writable) => Promise<void>,
  options: OutputFileOptions = {},
): Promise<void> {
  if (options.parents) makeDirectories(dirname(path));
  const place = placeOf(path);
  if (place.type === 'file') return replaceFile(place.path, place.before, write, options);
  const out = place.type === 'descriptor' ? descriptorStream(place.fd) : await openSpecial(place, options);
  await fill(out, write);
}

/** Writes a text as `writeOutputFile` does. */
export function writeOutputText(path: string, text: string, options: OutputFileOptions = {}): Promise<void> {
  return writeOutputFile(path, async (out) => void out.end(text), options);
}

/** Removes the file that an output would replace, if there is one; nothing else is touched. */
export function removeOutputFile(path: string): void {
  try {
    const place = placeOf(path);
    if (place.type === 'file') rmSync(fsPath(place.path), { force: true });
  } catch {
    // Whoever writes it says what is wrong.
  }
}

function placeOf(path: string): Place {
  let at = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const parent = realpathSync(fsPath(dirname(at)));
    const name = basename(at);
    if (new RegExp(`^/proc/${process.pid}(?:/task/\\d+)?/fd$`).test(parent) && /^\d+$/.test(name))
      return { type: 'descriptor', fd: Number(name) };
    const full = join(parent, name);
    const stats = lstatSync(fsPath(full), { throwIfNoEntry: false });
    if (stats === undefined || stats.isFile()) return { type: 'file', path: full, before: stats };
    if (stats.isDirectory()) throw fault('EISDIR', 'it is a directory', path);
    if (!stats.isSymbolicLink()) return { type: 'special', path: full, stats };
    at = resolve(parent, readlinkSync(fsPath(full)));
  }
  throw fault('ELOOP', 'too many symlinks', path);
}

async function replaceFile(
  path: string,
  before: Stats | undefined,
  write: (out: Writable) => Promise<void>,
  { mode, keepsOwner }: OutputFileOptions,
): Promise<void> {
  const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC } = constants;
  const half = `${path}.tmp-${process.pid}`;
  try {
    rmSync(fsPath(half), { force: true });
    try {
      await fill(fileStream(openSync(fsPath(half), O_WRONLY | O_CREAT | O_EXCL, mode ?? 0o666)), write);
      if (before !== undefined && (mode === undefined || keepsOwner)) likeBefore(half, before);
      if (mode !== undefined) chmodSync(fsPath(half), mode);
      return renameSync(fsPath(half), fsPath(path));
    } catch (error) {
      if (before === undefined || !isOnlyInPlace(error)) throw error;
    }
    const written = existsSync(fsPath(half));
    const target = fileStream(openSync(fsPath(path), O_WRONLY | O_TRUNC));
    await (written ? pipeline(createReadStream(fsPath(half)), target) : fill(target, write));
    if (mode !== undefined) chmodSync(fsPath(path), mode);
  } finally {
    rmSync(fsPath(half), { force: true });
  }
}

/** Whoever could read and change the file still can. */
function likeBefore(path: string, { uid, gid, mode }: Stats): void {
  try {
    chownSync(fsPath(path), uid, gid);
  } catch {
    // Only root gives files away.
  }
  chmodSync(fsPath(path), mode & 0o7777);
}

function isOnlyInPlace(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return ONLY_IN_PLACE.includes(code ?? '') && (syscall === 'open' || syscall === 'rename');
}

/** Has a stream written, and waits until all of it has got where it goes. */
async function fill(out: Writable, write: (out: Writable) => Promise<void>): Promise<void> {
  const done = finished(out, { readable: false });
  done.catch(() => {});
  try {
    await write(out);
    if (!out.writableEnded) out.end();
    await done;
  } finally {
    out.destroy();
  }
}

function fileStream(fd: number): Writable {
  return createWriteStream('', { fd });
}

/** A descriptor that was given to this process stays open, and the streams of standard output and error are shared. */
function descriptorStream(fd: number): Writable {
  const shared = fd === 1 ? process.stdout : fd === 2 ? process.stderr : undefined;
  if (shared !== undefined) {
    return new Writable({ write: (chunk: Buffer, _encoding, done) => void shared.write(chunk, done) });
  }
  const stats = fstatSync(fd);
  if (isatty(fd)) return new WriteStream(fd);
  if (stats.isFIFO() || stats.isSocket()) return new Socket({ fd, readable: false, writable: true });
  return createWriteStream('', { fd, autoClose: false });
}

async function openSpecial(
  { path, stats }: Extract<Place, { type: 'special' }>,
  { signal }: OutputFileOptions,
): Promise<Writable> {
  if (stats.isSocket()) return connect({ path });
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  const open = (): number => openSync(fsPath(path), O_WRONLY | O_NONBLOCK | O_NOCTTY);
  if (!stats.isFIFO()) {
    const fd = open();
    return isatty(fd) ? new WriteStream(fd) : fileStream(fd);
  }
  for (const end = performance.now() + READER_MS; ; await sleep(READER_LOOK_MS, undefined, { signal })) {
    try {
      return new Socket({ fd: open(), readable: false, writable: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      if (performance.now() > end) throw fault('ENXIO', 'nobody reads from this named pipe', path);
    }
  }
}

function fault(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code, path });
}
