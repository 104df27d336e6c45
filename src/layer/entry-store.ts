import { createPackedRows, createPackedTexts, type PackedTexts } from '../core/packed.ts';
import type { EntryType, LayerEntry } from '../tar/types.ts';

/** The number of a row. */
export type EntryRow = number & { readonly is?: 'entry' };

/** What an entry says of the thing that it makes, whatever its path is. */
export type Facts = Omit<LayerEntry, 'path'>;

/** What entries say, packed, with some words of the owner's in each row. */
export interface EntryStore {
  /** Adds a row without an entry. */
  addNone(): EntryRow;
  /**
   * Gives a row an entry, or takes it away.
   * @param place where a list that the owner knows has the entry, which is not packed a second time then
   */
  put(row: EntryRow, entry: LayerEntry | undefined, place?: number): void;
  /** The place that a row was given; undefined where it has its entry itself, or none. */
  place(row: EntryRow): number | undefined;
  /** @returns nothing for a row without an entry; for one with a place, nothing but the entry that was put last */
  get(row: EntryRow): Facts | undefined;
  /** The type of an entry that is there. */
  type(row: EntryRow): EntryType;
  /** The size of a file's entry that has no place. */
  size(row: EntryRow): number;
  own(row: EntryRow, word: number): number;
  setOwn(row: EntryRow, word: number, value: number): void;
  /** Texts of links, and of the owner. */
  readonly texts: PackedTexts;
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
  /** Which attributes it has, and one more; of a row with a place, this place. */
  extra: 8,
} as const;
const WORDS = 9;
const TYPE_SHIFT = 12;
const PLACED = 1 << 16;
const HIGH = 2 ** 32;

/** @param ownWords words of each row that are the caller's */
export function createEntryStore(ownWords: number): EntryStore {
  const rows = createPackedRows(WORDS + ownWords);
  const texts = createPackedTexts();
  const xattrs = createXattrStore();
  let lastRow: EntryRow | undefined;
  let lastEntry: Facts | undefined;

  const pack = (row: EntryRow, entry: LayerEntry): void => {
    const { type } = entry;
    const words = rows.part(row);
    const at = rows.start(row);
    const putNumber = (word: number, value: number): void => {
      words[at + word] = value;
      words[at + word + 1] = Math.floor(value / HIGH);
    };
    words[at + WORD.mode] = entry.mode | ((TYPES.indexOf(type) + 1) << TYPE_SHIFT);
    words[at + WORD.uid] = entry.uid;
    words[at + WORD.gid] = entry.gid;
    if (type === 'file') putNumber(WORD.detail, entry.size);
    else if (type === 'symlink' || type === 'hardlink') putNumber(WORD.detail, texts.add(entry.linkname));
    else {
      words[at + WORD.detail] = entry.devmajor;
      words[at + WORD.detail + 1] = entry.devminor;
    }
    putNumber(WORD.mtime, entry.mtime);
    words[at + WORD.nanoseconds] = entry.mtimeNsec;
    words[at + WORD.extra] = entry.xattrs ? xattrs.add(entry.xattrs) + 1 : 0;
  };
  const unpack = (row: EntryRow): Facts => {
    const words = rows.part(row);
    const at = rows.start(row);
    const head = words[at + WORD.mode]!;
    const type = TYPES[(head >>> TYPE_SHIFT) - 1]!;
    const low = words[at + WORD.detail]!;
    const high = words[at + WORD.detail + 1]!;
    const link = type === 'symlink' || type === 'hardlink';
    const device = type === 'char' || type === 'block';
    const extra = words[at + WORD.extra]!;
    const facts = {
      type,
      mode: head & 0o7777,
      uid: words[at + WORD.uid]!,
      gid: words[at + WORD.gid]!,
      size: type === 'file' ? high * HIGH + low : 0,
      mtime: (words[at + WORD.mtime + 1]! | 0) * HIGH + words[at + WORD.mtime]!,
      mtimeNsec: words[at + WORD.nanoseconds]!,
      linkname: link ? texts.get(high * HIGH + low) : '',
      devmajor: device ? low : 0,
      devminor: device ? high : 0,
    };
    // A spread takes longer than all the rest.
    return extra === 0 ? facts : { ...facts, xattrs: xattrs.get(extra - 1) };
  };

  return {
    addNone: rows.add,
    put: (row, entry, place) => {
      lastRow = row;
      lastEntry = entry;
      if (!entry) rows.set(row, WORD.mode, 0);
      else if (place === undefined) pack(row, entry);
      else {
        rows.set(row, WORD.mode, PLACED | ((TYPES.indexOf(entry.type) + 1) << TYPE_SHIFT));
        rows.set(row, WORD.extra, place);
      }
    },
    place: (row) => ((rows.get(row, WORD.mode) & PLACED) === 0 ? undefined : rows.get(row, WORD.extra)),
    get: (row) => {
      if (row === lastRow) return lastEntry;
      const head = rows.get(row, WORD.mode);
      if (head === 0 || (head & PLACED) !== 0) return undefined;
      lastRow = row;
      lastEntry = unpack(row);
      return lastEntry;
    },
    size: (row) => rows.get(row, WORD.detail + 1) * HIGH + rows.get(row, WORD.detail),
    type: (row) => TYPES[((rows.get(row, WORD.mode) & (PLACED - 1)) >>> TYPE_SHIFT) - 1]!,
    own: (row, word) => rows.get(row, WORDS + word),
    setOwn: (row, word, value) => rows.set(row, WORDS + word, value),
    texts,
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
