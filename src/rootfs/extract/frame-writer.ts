import fs from 'node:fs';
import { silent } from '../../core/events.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { release } from '../../core/release.ts';
import { DECODED_SPARE, decodeFrame } from '../../layer/frames.ts';
import type { TocFrame } from '../../layer/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { CREATE_FILE, writeAll } from './tree-writer.ts';
import { createMetaWriter } from './tree-writer-meta.ts';

/** The files whose content lies in a frame, in a form that costs little to hand to another thread. */
export interface FrameOrder {
  readonly frame: TocFrame;
  /** Paths relative to the target, joined with NUL. */
  readonly paths: string;
  /** FIELDS numbers for each file. */
  readonly numbers: Float64Array;
}

/**
 * Per file: where its content starts, relative to the frame and negative when it began in the frame before; its size;
 * mode, uid, gid and mtime in seconds; and, for a file of several frames, the descriptor under which it is open, else -1.
 */
export const FIELDS = 7;

/** Where the files go. */
export interface FrameTarget {
  readonly target: string;
  readonly privileged: boolean;
}

/** Writes a decoded frame into files, whose directories exist. */
export type FrameWriter = (order: FrameOrder, bytes: Buffer) => void;

/**
 * A writer that gives files owner, mode and whole seconds of time; attributes and other times are the caller's. Of a file
 * that is open already it writes the part that lies in the frame, and nothing else.
 */
export function createFrameWriter({ target, privileged }: FrameTarget): FrameWriter {
  const meta = createMetaWriter(privileged, { sys: undefined, emit: silent });

  const writeFile = (path: string, content: Buffer, numbers: Float64Array, at: number): void => {
    const [mode, uid, gid, mtime] = [numbers[at + 2]!, numbers[at + 3]!, numbers[at + 4]!, numbers[at + 5]!];
    const fd = fs.openSync(fsPath(path), CREATE_FILE, mode);
    try {
      writeAll(fd, content);
      meta.file(fd, path, { mode, uid, gid, mtime, mtimeNsec: 0 } as LayerEntry);
    } finally {
      fs.closeSync(fd);
    }
  };

  return ({ frame, paths, numbers }, bytes) => {
    let at = 0;
    for (const name of paths.split('\0')) {
      const start = numbers[at]!;
      const end = start + numbers[at + 1]!;
      const content = bytes.subarray(Math.max(0, start), Math.min(end, frame.tarLength));
      const open = numbers[at + 6]!;
      if (open < 0) writeFile(`${target}/${name}`, content, numbers, at);
      else writeAll(open, content, Math.max(0, -start));
      at += FIELDS;
    }
  };
}

/** Milliseconds that the parts of a frame's work took. */
export interface FrameTimes {
  readonly verify: number;
  readonly decode: number;
  readonly write: number;
}

/** Verifies and decodes a frame, and writes its files. @throws AppError CORRUPT, and what the file system throws */
export function writeFrame(write: FrameWriter, order: FrameOrder, bytes: Buffer): FrameTimes {
  const start = performance.now();
  let verified = start;
  const decoded = decodeFrame(bytes, order.frame, () => {
    verified = performance.now();
  });
  const end = performance.now();
  write(order, decoded);
  release(decoded, DECODED_SPARE);
  return { verify: verified - start, decode: end - verified, write: performance.now() - end };
}
