import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { algorithmOf, type ContentDigest, hexOf, matchesDigest } from '../core/digest.ts';
import { AppError, toAppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { chmodEntry, createEntry } from '../sys/entry.ts';
import { isHollow } from '../sys/hollow.ts';
import {
  atPlain,
  makePlainDirectory,
  movePlain,
  openPlainFile,
  readPlainFile,
  removePlain,
  statPlain,
  streamPlainFile,
  touchPlain,
  whereOthersRemove,
} from '../sys/plain.ts';
import { FILE_CHUNK } from './blob-source.ts';
import { iteratedReadable } from './readable.ts';
import type { BlobSource, ByteRange } from './types.ts';

/**
 * A stream over a blob's file. Without a range it fails with AppError CORRUPT before it ends when the content does not
 * match the digest.
 * @param onCorrupt told about a mismatch before the stream fails
 * @throws AppError REFERENCE when there is no such file, CORRUPT when it is hollow
 */
export function readBlobFile(
  path: string,
  digest: ContentDigest,
  range: ByteRange | undefined,
  onCorrupt: () => void = () => {},
  signal?: AbortSignal,
): Readable {
  const stat = fileStat(path);
  if (stat === undefined) throw noBlob(path, digest);
  if (isHollow(path, stat)) throw hollow(path, digest);
  const { size } = stat;
  if (range === undefined)
    return iteratedReadable((abort) => verified(path, digest, onCorrupt, abort), signal);
  return streamPlainFile(path, {
    start: range.offset,
    length: Math.max(0, Math.min(range.length ?? size, size - range.offset)),
    highWaterMark: FILE_CHUNK,
    ...(signal === undefined ? {} : { signal }),
  });
}

/**
 * Fills `into` with a part of a blob's file, not verified, and gives how many bytes there were.
 * @throws AppError REFERENCE when there is no such file
 */
export async function readBlobInto(
  path: string,
  digest: ContentDigest,
  offset: number,
  into: Uint8Array,
): Promise<number> {
  const fd = ifExists(() => openPlainFile(path));
  if (fd === undefined) throw noBlob(path, digest);
  try {
    let filled = 0;
    while (filled < into.length) {
      const count = await readAt(fd, into.subarray(filled), offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  } finally {
    fs.closeSync(fd);
  }
}

const readAt = (fd: number, into: Uint8Array, position: number): Promise<number> =>
  new Promise((resolve, reject) => {
    fs.read(fd, into, 0, into.length, position, (error, count) => (error ? reject(error) : resolve(count)));
  });

function noBlob(path: string, digest: ContentDigest): AppError {
  return new AppError('REFERENCE', `there is no blob ${digest} in ${dirname(path)}`, {
    where: { path, layer: digest },
  });
}

/**
 * Reads a small blob's file whole and verifies it; undefined when there is none.
 * @throws AppError CORRUPT
 */
export function readSmallBlob(path: string, digest: ContentDigest): Buffer | undefined {
  const bytes = ifExists(() => readPlainFile(path, LIMITS.manifest.most));
  if (bytes !== undefined && !matchesDigest(bytes, digest)) throw corrupt(path, digest);
  return bytes;
}

/** Most bytes of a file that is read whole, such as the index of a layout. */
const LARGEST_SMALL = 64 * 1024 * 1024;

/** Reads a file that is small when it is what it should be. @throws Error as readPlainFile */
export function readSmallFile(path: string): Buffer {
  return readPlainFile(path, LARGEST_SMALL);
}

/** The size of a file in bytes, or undefined when it does not exist; a hollow one (isHollow) counts as absent. */
export function fileSize(path: string): number | undefined {
  const stat = fileStat(path);
  return stat === undefined || isHollow(path, stat) ? undefined : stat.size;
}

function fileStat(path: string): fs.Stats | undefined {
  const stat = ifExists(() => statPlain(path));
  return stat?.isFile() ? stat : undefined;
}

/**
 * Brings a blob into `scratch`, whole and verified: a file that is known to be right is hard-linked, anything else is
 * written.
 * @returns the file, to be moved to its place
 * @throws AppError CORRUPT when the source does not match its digest, DISK_FULL
 */
export async function stageBlob(source: BlobSource, scratch: string, signal?: AbortSignal): Promise<string> {
  const staged = join(scratch, 'data');
  if (!linkVerified(source, staged)) await writeVerified(source, staged, signal);
  // A hard link brings the times of its file, which may be old.
  touchPlain(staged);
  return staged;
}

/**
 * Brings a blob to `target`, whole and verified or not at all, by way of `scratch`, which must be on the same file system.
 * Safe with other processes that do the same.
 * @throws AppError as stageBlob does
 */
export async function storeBlobFile(
  source: BlobSource,
  target: string,
  scratch: string,
  signal?: AbortSignal,
): Promise<void> {
  moveInto(await stageBlob(source, scratch, signal), target);
}

/** Renames a finished file to its place, making the directories above it. */
export function moveInto(staged: string, target: string): void {
  // A garbage collection removes empty directories, and a lease goes with its directory.
  whereOthersRemove(() => {
    makePlainDirectory(dirname(target));
    movePlain(staged, target);
  });
}

/** A link, or what is no file or too large, in the place of one counts as nothing. */
const ABSENT = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENOTREG', 'EFBIG'];

/** The result of a file system call, or undefined when the file is not there. */
export function ifExists<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (ABSENT.includes(code ?? '')) return undefined;
    throw error;
  }
}

function linkVerified(source: BlobSource, staged: string): boolean {
  if (source.file === undefined || source.fileVerified !== true) return false;
  if (fs.statSync(source.file, { throwIfNoEntry: false })?.size !== source.size)
    throw corrupt(source.file, source.digest);
  try {
    // The file is our own, wherever it lies.
    const { file } = source;
    atPlain(staged, (entry) => {
      fs.linkSync(file, entry);
      chmodEntry(entry, 0o644);
    });
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EACCES'].includes(code)) {
      removePlain(staged);
      return false;
    }
    throw error;
  }
}

async function writeVerified(
  source: BlobSource,
  staged: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  const stream = source.open();
  const stop = () => stream.destroy(signal?.reason as Error);
  signal?.addEventListener('abort', stop);
  let size = 0;
  let fd: number | undefined;
  try {
    signal?.throwIfAborted();
    fd = atPlain(staged, (entry) => createEntry(entry, 0o644));
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      size += chunk.length;
      writeFully(fd, chunk);
    }
  } catch (error) {
    throw signal?.aborted
      ? error
      : toAppError(error, 'CACHE_DIR', `cannot write the blob ${source.digest} to ${staged}`);
  } finally {
    signal?.removeEventListener('abort', stop);
    stream.destroy();
    if (fd !== undefined) fs.closeSync(fd);
  }
  if (size !== source.size || `sha256:${hash.digest('hex')}` !== source.digest) {
    throw new AppError(
      'CORRUPT',
      `the ${size} bytes given for the blob ${source.digest} are not its content`,
    );
  }
}

function writeFully(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
}

async function* verified(
  path: string,
  digest: ContentDigest,
  onCorrupt: () => void,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const hash = createHash(algorithmOf(digest));
  const stream = streamPlainFile(path, { highWaterMark: FILE_CHUNK, signal });
  let held: Buffer | undefined;
  // The last chunk waits for the verdict, so that nobody ever gets all bytes of a damaged blob.
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (hash.digest('hex') !== hexOf(digest)) {
    onCorrupt();
    throw corrupt(path, digest);
  }
  if (held !== undefined) yield held;
}

function corrupt(path: string, digest: ContentDigest): AppError {
  return new AppError('CORRUPT', `the content of ${path} does not match its digest ${digest}`, {
    hint: 'the file was damaged: it is written again when the blob is stored next',
    where: { path, layer: digest },
  });
}

function hollow(path: string, digest: ContentDigest): AppError {
  return new AppError('CORRUPT', `the file ${path} is no blob: hardly anything of it is stored`, {
    hint: 'remove the file: it is written again when the blob is stored next',
    where: { path, layer: digest },
  });
}
