import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { release } from '../core/release.ts';
import { createTocEntries } from './toc-entries.ts';
import type { LayoutCheck } from './toc-layout.ts';
import { type FrameRow, fromFrameRow, fromRow, type Row } from './toc-rows.ts';
import type { TocFrame, TocTable } from './types.ts';

/*
 * A table of contents as JSON: an object with two lists of rows, and no space between anything. It is read in
 * parts, since a table may have half a million rows, and an array for each takes ten times the room of its text.
 */

const HEAD = '{"frames":[';
const BETWEEN = '],"entries":[';
const TAIL = ']}';

/** Takes the text of a table in parts. */
export interface TableReader {
  /** @param part is not kept. @throws AppError CORRUPT, and other errors for what is no table */
  push(part: Buffer): void;
  /** @throws Error when the text is not at its end */
  end(): TocTable;
}

/** @param check is told of everything in the order of the table */
export function createTableReader(check?: Pick<LayoutCheck, 'frame' | 'entry'>): TableReader {
  const frames: TocFrame[] = [];
  const entries = createTocEntries();
  const addFrame = (row: unknown): void => {
    const frame = fromFrameRow(row as FrameRow);
    check?.frame(frame);
    frames.push(frame);
    if (frames.length > LIMITS.tocFrames.most) throw tooMany(`${frames.length} frames`);
  };
  const addEntry = (row: unknown): void => {
    const entry = fromRow(row as Row);
    check?.entry(entry);
    entries.add(entry);
    if (entries.count > LIMITS.tocRows.most) throw tooMany(`${entries.count} entries`);
  };
  /** What is still to come: a text that has to be there, or a list. */
  const rest: (string | RowReader)[] = [
    HEAD,
    createRowReader(addFrame),
    BETWEEN,
    createRowReader(addEntry),
    TAIL,
  ];
  let bytes = 0;
  return {
    push: (part) => {
      bytes += part.length;
      if (bytes > LIMITS.tocBytes.most) throw tooMany('more bytes than a table may');
      let at = 0;
      while (at < part.length) {
        const next = rest[0];
        if (next === undefined) throw new Error('something follows the table');
        if (typeof next !== 'string') {
          at = next.read(part, at);
          if (at < part.length) rest.shift();
          continue;
        }
        const length = Math.min(next.length, part.length - at);
        if (part.toString('latin1', at, at + length) !== next.slice(0, length))
          throw new Error('it is no table');
        at += length;
        if (length === next.length) rest.shift();
        else rest[0] = next.slice(length);
      }
    },
    end: () => {
      if (rest.length > 0) throw new Error('the table is cut off');
      return { frames, entries };
    },
  };
}

function tooMany(what: string): AppError {
  return new AppError('CORRUPT', `a layer's table of contents has ${what}`);
}

/** Reads rows in parts, up to the bracket behind them. */
interface RowReader {
  /** Reads on from `at`. Gives where the bracket behind the rows stands, or the end of `part`. */
  read(part: Buffer, at: number): number;
}

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c];
const [OPEN, CLOSE] = [0x5b, 0x5d];

function createRowReader(add: (row: unknown) => void): RowReader {
  /** Text of a row that is not whole yet. */
  let begun = Buffer.alloc(0);
  /** Where the row begins that is being read: before 0 where that was in an earlier part. */
  let rowAt = 0;
  let depth = 0;
  let quoted = false;
  let escaped = false;
  let first = true;

  const checkLength = (bytes: number): void => {
    if (bytes > LIMITS.tocRow.most) throw tooMany(`a row of more than ${LIMITS.tocRow.most} bytes`);
  };
  const parse = (text: Buffer): void => {
    if (text.length === 0) return;
    if (!first && text[0] !== COMMA) throw new Error('there is no comma between two rows');
    for (const row of JSON.parse(`[${text.toString('utf8', first ? 0 : 1)}]`) as unknown[]) add(row);
    first = false;
  };

  return {
    read: (part, from) => {
      /** Behind the last row that is whole. */
      let whole = -1;
      let at = from;
      for (; at < part.length; at += 1) {
        const byte = part[at]!;
        if (quoted) {
          if (escaped) escaped = false;
          else if (byte === BACKSLASH) escaped = true;
          else if (byte === QUOTE) quoted = false;
        } else if (byte === QUOTE) quoted = true;
        else if (byte === OPEN) {
          if (depth === 0) rowAt = at;
          depth += 1;
        } else if (byte === CLOSE) {
          if (depth === 0) break;
          depth -= 1;
          if (depth > 0) continue;
          whole = at + 1;
          checkLength(whole - rowAt);
        }
      }
      if (whole >= 0) {
        const text = Buffer.concat([begun, part.subarray(from, whole)]);
        parse(text);
        release(text);
        begun = Buffer.alloc(0);
      }
      begun = Buffer.concat([begun, part.subarray(Math.max(from, whole), at)]);
      checkLength(begun.length);
      rowAt -= part.length;
      if (at < part.length && begun.length > 0) throw new Error('something stands where a row should');
      return at;
    },
  };
}
