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
   * @param place where a list that the owner knows has the entry, which is not packed a second time then; only where rows
   * without an entry are usual
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
const HEAD = {
  /** The permission bits, and the type and one more above them; 0 where there is no entry. */
  mode: 0,
  /** Where there are bodies: the number of the row's and one more; of a row with a place, this place. */
  body: 1,
} as const;
/** Numbers of 64 bits begin with their lower word. */
const BODY = {
  uid: 0,
  gid: 1,
  /** Of a file its size, of a link where its target stands, of a device its numbers. */
  detail: 2,
  mtime: 4,
  nanoseconds: 6,
  /** Which attributes it has, and one more. */
  xattrs: 7,
} as const;
const BODY_WORDS = 8;
const TYPE_SHIFT = 12;
const PLACED = 1 << 16;
const HIGH = 2 ** 32;

/**
 * @param ownWords words of each row that are the caller's
 * @param someHaveNone rows without an entry, or with a place, are usual: then those with one have a second row for it
 */
export function createEntryStore(ownWords: number, someHaveNone: boolean): EntryStore {
  const headWords = someHaveNone ? 2 : 1;
  const ownAt = headWords + (someHaveNone ? 0 : BODY_WORDS);
  const rows = createPackedRows(ownAt + ownWords);
  const bodies = someHaveNone ? createPackedRows(BODY_WORDS) : undefined;
  const texts = createPackedTexts();
  const xattrs = createXattrStore();
  let lastRow: EntryRow | undefined;
  let lastEntry: Facts | undefined;

  const hasBody = (row: EntryRow): boolean => {
    const head = rows.get(row, HEAD.mode);
    return head !== 0 && (head & PLACED) === 0;
  };
  /** What holds the bodies, and which row of it a body is. */
  const held = bodies ?? rows;
  const bodyOf = (row: EntryRow): number => (bodies ? rows.get(row, HEAD.body) - 1 : row);
  const bodyAt = bodies ? 0 : headWords;

  const pack = (row: EntryRow, entry: LayerEntry): void => {
    const { type } = entry;
    if (bodies && !hasBody(row)) rows.set(row, HEAD.body, bodies.add() + 1);
    rows.set(row, HEAD.mode, entry.mode | ((TYPES.indexOf(type) + 1) << TYPE_SHIFT));
    const body = bodyOf(row);
    const put = (word: number, value: number): void => held.set(body, bodyAt + word, value);
    const putNumber = (word: number, value: number): void => {
      put(word, value);
      put(word + 1, Math.floor(value / HIGH));
    };
    put(BODY.uid, entry.uid);
    put(BODY.gid, entry.gid);
    if (type === 'file') putNumber(BODY.detail, entry.size);
    else if (type === 'symlink' || type === 'hardlink') putNumber(BODY.detail, texts.add(entry.linkname));
    else {
      put(BODY.detail, entry.devmajor);
      put(BODY.detail + 1, entry.devminor);
    }
    putNumber(BODY.mtime, entry.mtime);
    put(BODY.nanoseconds, entry.mtimeNsec);
    put(BODY.xattrs, entry.xattrs ? xattrs.add(entry.xattrs) + 1 : 0);
  };
  const unpack = (row: EntryRow): Facts => {
    const body = bodyOf(row);
    const word = (at: number): number => held.get(body, bodyAt + at);
    const head = rows.get(row, HEAD.mode);
    const type = TYPES[(head >>> TYPE_SHIFT) - 1]!;
    const low = word(BODY.detail);
    const high = word(BODY.detail + 1);
    const link = type === 'symlink' || type === 'hardlink';
    const device = type === 'char' || type === 'block';
    const extra = word(BODY.xattrs);
    const facts = {
      type,
      mode: head & 0o7777,
      uid: word(BODY.uid),
      gid: word(BODY.gid),
      size: type === 'file' ? high * HIGH + low : 0,
      mtime: (word(BODY.mtime + 1) | 0) * HIGH + word(BODY.mtime),
      mtimeNsec: word(BODY.nanoseconds),
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
      if (!entry) rows.set(row, HEAD.mode, 0);
      else if (place === undefined) pack(row, entry);
      else {
        rows.set(row, HEAD.mode, PLACED | ((TYPES.indexOf(entry.type) + 1) << TYPE_SHIFT));
        rows.set(row, HEAD.body, place);
      }
    },
    place: (row) => ((rows.get(row, HEAD.mode) & PLACED) === 0 ? undefined : rows.get(row, HEAD.body)),
    get: (row) => {
      if (row === lastRow) return lastEntry;
      if (!hasBody(row)) return undefined;
      lastRow = row;
      lastEntry = unpack(row);
      return lastEntry;
    },
    size: (row) => {
      const [body, at] = [bodyOf(row), bodyAt + BODY.detail];
      return held.get(body, at + 1) * HIGH + held.get(body, at);
    },
    type: (row) => TYPES[((rows.get(row, HEAD.mode) & (PLACED - 1)) >>> TYPE_SHIFT) - 1]!,
    own: (row, word) => rows.get(row, ownAt + word),
    setOwn: (row, word, value) => rows.set(row, ownAt + word, value),
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
