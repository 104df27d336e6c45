/* Sparse files: their holes are neither read nor written. */
import { closeSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import type { Syscalls } from './types.ts';

/** Finds holes. */
export type HoleCalls = Pick<Syscalls, 'dataSegments'>;

/** Unit of st_blocks (stat(2)). */
export const BLOCK = 512;
/** Bytes of a part of a file. */
const CHUNK = 1024 * 1024;
const ZEROS = Buffer.alloc(CHUNK);

/**
 * The content of an open file, of which large holes are not read. One that became shorter meanwhile ends where it does.
 * @param size of the file
 * @param buffer is used for one part after the other; a mebibyte is as much as one has
 */
export function* contentOf(
  file: number,
  size: number,
  buffer: Buffer,
  syscalls: HoleCalls,
): Generator<Buffer> {
  let at = 0;
  for (const [offset, length] of storedParts(file, size, syscalls)) {
    yield* zeros(offset - at);
    for (at = offset; at < offset + length; ) {
      const count = readSync(file, buffer, 0, Math.min(buffer.length, offset + length - at), at);
      if (count === 0) return;
      at += count;
      yield buffer.subarray(0, count);
    }
  }
  yield* zeros(size - at);
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= CHUNK) yield ZEROS.subarray(0, Math.min(left, CHUNK));
}

/** The parts of an open file that are stored; all of it unless it has large holes. */
function storedParts(
  file: number,
  size: number,
  { dataSegments }: HoleCalls,
): readonly (readonly [offset: number, length: number])[] {
  // Asking a small file for its holes costs more than reading them.
  return size <= CHUNK || !mayHaveHoles(file, size) ? [[0, size]] : dataSegments(file, size);
}

/**
 * Copies the content of an open file into an empty one; what is a hole there is one here. One that became shorter meanwhile
 * is as long as it was.
 */
export function copyStored(from: number, to: number, size: number, syscalls: HoleCalls): void {
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK, size));
  for (const [offset, length] of storedParts(from, size, syscalls)) {
    for (let at = offset; at < offset + length; ) {
      const count = readSync(from, buffer, 0, Math.min(buffer.length, offset + length - at), at);
      if (count === 0) break;
      for (let done = 0; done < count; ) done += writeSync(to, buffer, done, count - done, at + done);
      at += count;
    }
  }
  ftruncateSync(to, size);
}

/** Whether an open file has large holes: then copyStored is to be used, and else whatever copies a whole file at once. */
export function hasHoles(file: number, size: number, syscalls: HoleCalls): boolean {
  const [first, ...others] = storedParts(file, size, syscalls);
  return others.length > 0 || first?.[0] !== 0 || first[1] < size;
}

/** Whether an open file has less blocks than bytes; of a file system that compresses, any file may. */
function mayHaveHoles(file: number, size: number): boolean {
  return fstatSync(file).blocks * BLOCK < size;
}

/**
 * Bytes that an open file has of holes, by the number of its blocks, and then by where they are: compressed files have less
 * blocks, too. Closes it.
 */
export function holesOf(file: number, size: number, { dataSegments }: HoleCalls): number {
  try {
    if (!mayHaveHoles(file, size)) return 0;
    return dataSegments(file, size).reduce((rest, [, length]) => rest - length, size);
  } finally {
    closeSync(file);
  }
}
