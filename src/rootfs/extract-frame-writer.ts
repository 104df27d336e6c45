import fs from 'node:fs';
import { silent } from '../core/events.ts';
import { fsPath } from '../core/path-bytes.ts';
import { release } from '../core/release.ts';
import { decodeFrame } from '../layer/frames.ts';
import type { LayerEntry, TocFrame } from '../layer/types.ts';
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
 * mode, uid, gid and mtime in seconds.
 */
export const FIELDS = 6;

/** Where the files go. */
export interface FrameTarget {
  readonly target: string;
  readonly privileged: boolean;
}

/** Writes decoded frames into files, whose directories exist. */
export interface FrameWriter {
  /** A file that goes on in the next frame stays open until that frame is given to the same writer. */
  write(order: FrameOrder, bytes: Buffer): void;
  /** Closes a file that is still open, after an error. */
  abandon(): void;
}

/** Gives files owner, mode and whole seconds of time; attributes and other times are the caller's. */
export function createFrameWriter({ target, privileged }: FrameTarget): FrameWriter {
  const meta = createMetaWriter(privileged, { sys: undefined, emit: silent });
  let held: number | undefined;

  const finish = (fd: number, path: string, numbers: Float64Array, at: number): void => {
    const [mode, uid, gid, mtime] = [numbers[at + 2]!, numbers[at + 3]!, numbers[at + 4]!, numbers[at + 5]!];
    try {
      meta.file(fd, path, { mode, uid, gid, mtime, mtimeNsec: 0 } as LayerEntry);
    } finally {
      fs.closeSync(fd);
    }
  };

  return {
    write: ({ frame, paths, numbers }, bytes) => {
      let at = 0;
      for (const name of paths.split('\0')) {
        const path = `${target}/${name}`;
        const start = numbers[at]!;
        const end = start + numbers[at + 1]!;
        const fd = start < 0 ? held! : fs.openSync(fsPath(path), CREATE_FILE, numbers[at + 2]!);
        held = fd;
        writeAll(fd, bytes.subarray(Math.max(0, start), Math.min(end, frame.tarLength)));
        if (end > frame.tarLength) return;
        held = undefined;
        finish(fd, path, numbers, at);
        at += FIELDS;
      }
    },
    abandon: () => {
      if (held !== undefined) fs.closeSync(held);
      held = undefined;
    },
  };
}

/** Milliseconds that the parts of a frame's work took. */
export interface FrameTimes {
  readonly verify: number;
  readonly decode: number;
  readonly write: number;
}

/** Verifies and decodes a frame, and writes its files. @throws AppError CORRUPT, and what the file system throws */
export function writeFrame(writer: FrameWriter, order: FrameOrder, bytes: Buffer): FrameTimes {
  const start = performance.now();
  let verified = start;
  const decoded = decodeFrame(bytes, order.frame, () => {
    verified = performance.now();
  });
  const end = performance.now();
  writer.write(order, decoded);
  release(decoded);
  return { verify: verified - start, decode: end - verified, write: performance.now() - end };
}
