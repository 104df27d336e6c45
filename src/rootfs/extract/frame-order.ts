import type { TocFrame } from '../../layer/types.ts';
import type { EntryType, LayerEntry } from '../../tar/types.ts';

/**
 * What a frame holds by the table of its layer, and what is to become of it, in a form that costs little to hand to another
 * thread.
 */
export interface FrameOrder {
  readonly frame: TocFrame;
  /** Where the first header stands in the frame, unless that is behind its end. */
  readonly start: number;
  /** Whether the end of the archive follows the last entry. */
  readonly last: boolean;
  /** The file whose content the frame begins with, if there is one. */
  readonly begun: BegunFile | undefined;
  /** Of each entry whose header lies in the frame: its path, its target, and the path to write to where that is another; each ends with NUL. */
  readonly texts: string;
  /** FIELDS numbers for each of these entries. */
  readonly numbers: Float64Array<ArrayBuffer>;
  /** Attributes of those that have any. */
  readonly xattrs: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>;
}

/** A file that began in a frame before. */
export interface BegunFile {
  /** Where its content starts, relative to this frame: below 0. */
  readonly start: number;
  readonly size: number;
  /** The descriptor under which it is open, or NOT_WRITTEN. */
  readonly fd: number;
}

/** What is done with a file: its content is not wanted, or it is written as a whole; else the number is its descriptor. */
export const NOT_WRITTEN = -2;
export const WHOLE = -1;

/** Type, mode, uid, gid, size, mtime, nanoseconds, device numbers, and what is done with it. */
const FIELDS = 10;
const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'];

/** Makes an order. */
export interface OrderWriter {
  begun(start: number, size: number, fd: number): void;
  /** The next entry of the layer whose header lies in the frame. @param place for WHOLE: the path below the target */
  entry(entry: LayerEntry, action: number, place: string): void;
  finish(): FrameOrder;
}

/** @param entries how many will be told of */
export function createOrder(frame: TocFrame, entries: number, last: boolean): OrderWriter {
  let texts = '';
  const numbers = new Float64Array(entries * FIELDS);
  const xattrs = new Map<number, ReadonlyMap<string, Uint8Array>>();
  let file: BegunFile | undefined;
  let at = 0;
  return {
    begun: (start, size, fd) => {
      file = { start, size, fd };
    },
    entry: (entry, action, place) => {
      if (entry.xattrs) xattrs.set(at / FIELDS, entry.xattrs);
      texts += `${entry.path}\0${entry.linkname}\0${place === entry.path ? '' : place}\0`;
      numbers[at] = TYPES.indexOf(entry.type);
      numbers[at + 1] = entry.mode;
      numbers[at + 2] = entry.uid;
      numbers[at + 3] = entry.gid;
      numbers[at + 4] = entry.size;
      numbers[at + 5] = entry.mtime;
      numbers[at + 6] = entry.mtimeNsec;
      numbers[at + 7] = entry.devmajor;
      numbers[at + 8] = entry.devminor;
      numbers[at + 9] = action;
      at += FIELDS;
    },
    finish: () => {
      const end = file ? file.start + file.size : 0;
      const start = end + ((512 - (end & 511)) & 511);
      return { frame, start, last, begun: file, texts, numbers, xattrs };
    },
  };
}

/** An entry of an order. */
export interface OrderedEntry {
  readonly entry: LayerEntry;
  readonly action: number;
  readonly place: string;
}

/** The entries of an order, in the order of the frame. */
export function* entriesOf({ texts, numbers, xattrs }: FrameOrder): Generator<OrderedEntry> {
  let next = 0;
  // Not split at once, which makes an array of all of them, and V8 frees large ones late.
  const text = (): string => {
    const end = texts.indexOf('\0', next);
    const found = texts.slice(next, end);
    next = end + 1;
    return found;
  };
  for (let at = 0; at < numbers.length; at += FIELDS) {
    const [path, linkname, place] = [text(), text(), text()];
    const found = xattrs.get(at / FIELDS);
    const entry: LayerEntry = {
      path,
      type: TYPES[numbers[at]!]!,
      mode: numbers[at + 1]!,
      uid: numbers[at + 2]!,
      gid: numbers[at + 3]!,
      size: numbers[at + 4]!,
      mtime: numbers[at + 5]!,
      mtimeNsec: numbers[at + 6]!,
      linkname,
      devmajor: numbers[at + 7]!,
      devminor: numbers[at + 8]!,
      ...(found ? { xattrs: new Map([...found].map(([name, value]) => [name, Buffer.from(value)])) } : {}),
    };
    yield { entry, action: numbers[at + 9]!, place: place === '' ? path : place };
  }
}
