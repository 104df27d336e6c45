import { AppError } from '../core/error.ts';
import { BLOCK, END_BYTES, headerLength, padding } from '../tar/header.ts';
import { FRAME_BYTES, outputBound } from './frames.ts';
import type { TocEntry, TocFrame } from './types.ts';

/** Checks a table while it is read: first its frames, then its entries. */
export interface LayoutCheck {
  frame(frame: TocFrame): void;
  entry(entry: TocEntry): void;
  /** @returns Toc.firstEntries */
  end(): readonly number[];
}

/**
 * Checks that a table says all of its layer: that the frames are the whole blob up to the table and their plain bytes a
 * whole archive, and that the entries fill this archive one after the other. Where they lie follows from themselves, as
 * our writer has only one form for each. So nothing can be in the layer that the table leaves out, or twice in the table.
 * What is left to compare are the headers and the zeros between files, for whoever decodes a frame. Each call throws
 * AppError CORRUPT for what does not fit.
 * @param end where the table's own frame begins in the blob
 */
export function createLayoutCheck(end: number): LayoutCheck {
  /** By frame: where it ends in the archive. */
  const ends: number[] = [];
  const firstEntries: number[] = [];
  let offset = 0;
  let tarOffset = 0;
  let count = 0;
  let at = 0;
  let frameEnd = 0;
  return {
    frame: (frame) => {
      const { length, tarLength } = frame;
      const follows = frame.offset === offset && frame.tarOffset === tarOffset;
      const small = tarLength <= FRAME_BYTES && length <= outputBound(FRAME_BYTES);
      if (!follows || !small || tarLength === 0 || tarLength % BLOCK !== 0)
        throw wrong(`the frame at byte ${frame.offset} is not the next one`);
      offset += length;
      tarOffset += tarLength;
      ends.push(tarOffset);
    },
    entry: (entry) => {
      while (at >= frameEnd && firstEntries.length < ends.length) {
        frameEnd = ends[firstEntries.length]!;
        firstEntries.push(count);
      }
      const header = headerLength(entry);
      if (at + header > frameEnd) throw wrong(`the header of "${entry.path}" lies in no frame`);
      if (entry.contentOffset !== (entry.size === 0 ? 0 : at + header))
        throw wrong(`the content of "${entry.path}" does not follow its header`);
      at += header + entry.size + padding(entry.size);
      count += 1;
    },
    end: () => {
      if (offset !== end) throw wrong(`it tells of ${offset} of ${end} bytes`);
      if (at + END_BYTES !== tarOffset) throw wrong('its entries are not all of the archive');
      while (firstEntries.length <= ends.length) firstEntries.push(count);
      return firstEntries;
    },
  };
}

function wrong(what: string): AppError {
  return new AppError('CORRUPT', `a layer's table of contents does not fit the layer: ${what}`);
}
