import fs from 'node:fs';
import { AppError } from '../../core/error.ts';
import { silent } from '../../core/events.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { release } from '../../core/release.ts';
import { DECODED_SPARE, decodeFrame } from '../../layer/frames.ts';
import type { TocFrame } from '../../layer/types.ts';
import { createHeaderCheck, END_BYTES, padding } from '../../tar/header.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { entriesOf, type FrameOrder, NOT_WRITTEN, WHOLE } from './frame-order.ts';
import { CREATE_FILE, writeAll } from './tree-writer.ts';
import { createMetaWriter } from './tree-writer-meta.ts';

/** Where the files go. */
export interface FrameTarget {
  readonly target: string;
  readonly privileged: boolean;
}

/** Writes a decoded frame into files, whose directories exist. */
export type FrameWriter = (order: FrameOrder, bytes: Buffer) => void;

/**
 * A writer that compares a frame with what its table says, and gives files owner, mode and whole seconds of time; attributes
 * and other times are the caller's. Of a file that is open already it writes the part that lies in the frame, and nothing
 * else. It throws AppError CORRUPT for a frame that has anything but the headers of its entries, their content, and zeros.
 */
export function createFrameWriter({ target, privileged }: FrameTarget): FrameWriter {
  const meta = createMetaWriter(privileged, { sys: undefined, emit: silent });
  const checkHeader = createHeaderCheck();

  const writeFile = (path: string, content: Buffer, { mode, uid, gid, mtime }: LayerEntry): void => {
    const fd = fs.openSync(fsPath(path), CREATE_FILE, mode);
    try {
      writeAll(fd, content);
      meta.file(fd, path, { mode, uid, gid, mtime: Math.max(0, mtime), mtimeNsec: 0 } as LayerEntry);
    } finally {
      fs.closeSync(fd);
    }
  };

  return (order, bytes) => {
    const { frame, begun, last } = order;
    const { tarLength } = frame;
    if (begun) {
      const end = begun.start + begun.size;
      if (begun.fd !== NOT_WRITTEN) writeAll(begun.fd, bytes.subarray(0, end), -begun.start);
      checkZeros(frame, bytes, end, order.start);
    }
    let at = order.start;
    for (const { entry, action, place } of entriesOf(order)) {
      const header = checkHeader(entry, bytes, at);
      if (header === 0) throw differs(frame, entry.path);
      const start = at + header;
      const end = start + entry.size;
      if (action !== NOT_WRITTEN) {
        const content = bytes.subarray(start, end);
        if (action === WHOLE) writeFile(`${target}/${place}`, content, entry);
        else writeAll(action, content, 0);
      }
      at = end + padding(entry.size);
      checkZeros(frame, bytes, end, at);
    }
    if (last) {
      checkZeros(frame, bytes, at, at + END_BYTES);
      at += END_BYTES;
    }
    if (last ? at !== tarLength : at < tarLength) throw differs(frame, 'the end of its files');
  };
}

/** Checks what lies between files, as far as the frame goes. */
function checkZeros(frame: TocFrame, bytes: Buffer, from: number, to: number): void {
  const end = Math.min(to, bytes.length);
  if (from < end && ZEROS.compare(bytes, from, end, 0, end - from) !== 0)
    throw differs(frame, 'what lies between its files');
}

const ZEROS = Buffer.alloc(END_BYTES);

function differs(frame: TocFrame, what: string): AppError {
  return new AppError(
    'CORRUPT',
    `the frame at byte ${frame.offset} and the table of contents differ in ${JSON.stringify(what)}`,
  );
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
