import { constants as zlib, zstdDecompressSync } from 'node:zlib';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { LayerBlob, Toc, TocEntry, TocFrame } from './types.ts';

/** Tar bytes of a frame: small enough to be read alone, large enough to compress as well as a whole (1 to 3 % larger). */
export const FRAME_BYTES = 4 * 1024 * 1024;

/**
 * Room for all that may come out of a frame (ZSTD_COMPRESSBOUND of zstd.h; zlib needs less). Zstd then writes straight into
 * it, which is faster than in parts and finds a little more, so the room is a part of the layer format too.
 */
export function outputBound(length: number): number {
  const small = 128 * 1024;
  return length + (length >> 8) + (length < small ? (small - length) >> 11 : 0);
}

/** Memory that a decoded frame leaves unused: when Node's decoder has none left, it takes as much again. */
export const DECODED_SPARE: number = zlib.Z_MIN_CHUNK;

/**
 * The tar bytes of a frame.
 * @param bytes the frame as it stands in the blob
 * @param onVerified called between the two halves of the work
 * @throws AppError CORRUPT when it does not match its digest or its length
 */
export function decodeFrame(bytes: Buffer, frame: TocFrame, onVerified = (): void => {}): Buffer {
  if (bytes.length !== frame.length || digestOf(bytes) !== frame.digest) {
    throw new AppError('CORRUPT', `the frame at byte ${frame.offset} does not match its digest`);
  }
  onVerified();
  return decodeVerified(bytes, frame);
}

/** As decodeFrame, for bytes whose digest was checked before. */
function decodeVerified(bytes: Buffer, frame: TocFrame): Buffer {
  try {
    const decoded = zstdDecompressSync(bytes, {
      chunkSize: frame.tarLength + DECODED_SPARE,
      maxOutputLength: Math.max(frame.tarLength, 1),
    });
    if (decoded.length === frame.tarLength) return decoded;
  } catch (cause) {
    throw new AppError('CORRUPT', `the frame at byte ${frame.offset} cannot be decoded`, { cause });
  }
  throw new AppError(
    'CORRUPT',
    `the frame at byte ${frame.offset} does not have the length that its table says`,
  );
}

/**
 * The content of files of a layer in parts, each with its file, reading only the frames that hold them and each of these
 * once. Every file has at least one part.
 * @param entries in the order of the layer
 * @throws AppError CORRUPT as decodeFrame
 */
export async function* readContents(
  blob: Pick<LayerBlob, 'readRange'>,
  { frames }: Pick<Toc, 'frames'>,
  entries: readonly TocEntry[],
): AsyncGenerator<{ readonly entry: TocEntry; readonly part: Buffer }> {
  let index = 0;
  let decoded: Buffer | undefined;
  for (const entry of entries) {
    if (entry.size === 0) yield { entry, part: Buffer.alloc(0) };
    const end = entry.contentOffset + entry.size;
    for (let at = entry.contentOffset; at < end; ) {
      const frame = frames[index];
      if (!frame) throw new AppError('CORRUPT', `the layer has no content for "${entry.path}"`);
      if (frame.tarOffset + frame.tarLength <= at) {
        index += 1;
        decoded = undefined;
        continue;
      }
      decoded ??= decodeFrame(await blob.readRange(frame.offset, frame.length), frame);
      const part = decoded.subarray(at - frame.tarOffset, end - frame.tarOffset);
      yield { entry, part };
      at += part.length;
    }
  }
}
