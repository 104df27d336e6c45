import { createPackedRows, createPackedTexts } from '../../core/packed.ts';
import type { EntryType, LayerEntry } from '../../tar/types.ts';

/** The number of a row. */
export type EntryRow = number & { readonly is?: 'entry' };

/** What an entry says of the thing that it makes, whatever its path is. */
export type Facts = Omit<LayerEntry, 'path'>;

/** What entries say, packed, with some words of the owner's in each row. */
export interface EntryStore {
  /** Adds a row without an entry. */
  addNone(): EntryRow;
  /** Gives a row an entry, or takes it away. @param listed keep the object itself, which is held elsewhere as well */
  put(row: EntryRow, entry: LayerEntry | undefined, listed: boolean): void;
  get(row: EntryRow): Facts | undefined;
  /** The type of an entry that is there. */
  type(row: EntryRow): EntryType;
  own(row: EntryRow, word: number): number;
  setOwn(row: EntryRow, word: number, value: number): void;
}

const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'];
/** Numbers of 64 bits begin with their lower word. */
const WORD = {
  /** The permission bits, and the type and one more above them; 0 where there is no entry. */
  mode: 0,
  uid: 1,
  gid: 2,
  /** Of a file its size, of a link where its target stands, of a device its numbers. */
  detail: 3,
  mtime: 5,
  nanoseconds: 7,
  /** Which attributes it has, and one more; of a listed entry, which one it is. */
  extra: 8,
} as const;
const WORDS = 9;
const TYPE_SHIFT = 12;
const LISTED = 1 << 16;
const HIGH = 2 ** 32;

/** @param ownWords words of each row that are the caller's */
export function createEntryStore(ownWords: number): EntryStore {
  const rows = createPackedRows(WORDS + ownWords);
  const texts = createPackedTexts();
  const listedEntries: LayerEntry[] = [];
  const xattrs = createXattrStore();
  let lastRow: EntryRow | undefined;
  let lastEntry: Facts | undefined;

  const putNumber = (row: EntryRow, word: number, value: number): void => {
    rows.set(row, word, value);
    rows.set(row, word + 1, Math.floor(value / HIGH));
  };
  const pack = (row: EntryRow, entry: LayerEntry): void => {
    const { type } = entry;
    rows.set(row, WORD.mode, entry.mode | ((TYPES.indexOf(type) + 1) << TYPE_SHIFT));
    rows.set(row, WORD.uid, entry.uid);
    rows.set(row, WORD.gid, entry.gid);
    if (type === 'file') putNumber(row, WORD.detail, entry.size);
    else if (type === 'symlink' || type === 'hardlink')
      putNumber(row, WORD.detail, texts.add(entry.linkname));
    else {
      rows.set(row, WORD.detail, entry.devmajor);
      rows.set(row, WORD.detail + 1, entry.devminor);
    }
    putNumber(row, WORD.mtime, entry.mtime);
    rows.set(row, WORD.nanoseconds, entry.mtimeNsec);
    rows.set(row, WORD.extra, entry.xattrs ? xattrs.add(entry.xattrs) + 1 : 0);
  };
  const unpack = (row: EntryRow): Facts => {
    const head = rows.get(row, WORD.mode);
    const type = TYPES[(head >>> TYPE_SHIFT) - 1]!;
    const [low, high] = [rows.get(row, WORD.detail), rows.get(row, WORD.detail + 1)];
    const link = type === 'symlink' || type === 'hardlink';
    const device = type === 'char' || type === 'block';
    const extra = rows.get(row, WORD.extra);
    return {
      type,
      mode: head & 0o7777,
      uid: rows.get(row, WORD.uid),
      gid: rows.get(row, WORD.gid),
      size: type === 'file' ? high * HIGH + low : 0,
      mtime: (rows.get(row, WORD.mtime + 1) | 0) * HIGH + rows.get(row, WORD.mtime),
      mtimeNsec: rows.get(row, WORD.nanoseconds),
      linkname: link ? texts.get(high * HIGH + low) : '',
      devmajor: device ? low : 0,
      devminor: device ? high : 0,
      ...(extra > 0 ? { xattrs: xattrs.get(extra - 1) } : {}),
    };
  };

  return {
    addNone: rows.add,
    put: (row, entry, listed) => {
      lastRow = row;
      lastEntry = entry;
      if (!entry) rows.set(row, WORD.mode, 0);
      else if (listed) {
        rows.set(row, WORD.mode, LISTED | ((TYPES.indexOf(entry.type) + 1) << TYPE_SHIFT));
        rows.set(row, WORD.extra, listedEntries.push(entry) - 1);
      } else pack(row, entry);
    },
    get: (row) => {
      if (row === lastRow) return lastEntry;
      const head = rows.get(row, WORD.mode);
      if (head === 0) return undefined;
      return (head & LISTED) === 0 ? unpack(row) : listedEntries[rows.get(row, WORD.extra)]!;
    },
    type: (row) => TYPES[((rows.get(row, WORD.mode) & (LISTED - 1)) >>> TYPE_SHIFT) - 1]!,
    own: (row, word) => rows.get(row, WORDS + word),
    setOwn: (row, word, value) => rows.set(row, WORDS + word, value),
  };
}

type Xattrs = ReadonlyMap<string, Buffer>;

/** Attributes, each set of them once: labels are the same on most files. */
function createXattrStore(): { add(set: Xattrs): number; get(index: number): Xattrs } {
  const sets: Xattrs[] = [];
  const known = new Map<string, number>();
  return {
    add: (set) => {
      const key = [...set]
        .map(([name, value]) => `${name}\0${value.length}\0${value.toString('latin1')}`)
        .join('');
      let index = known.get(key);
      if (index === undefined) {
        index = sets.push(set) - 1;
        known.set(key, index);
      }
      return index;
    },
    get: (index) => sets[index]!,
  };
}
