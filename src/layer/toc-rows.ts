import { type Digest, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { checkEntry } from '../tar/check-entry.ts';
import type { EntryType, LayerEntry } from '../tar/types.ts';
import type { TocEntry, TocFrame, TocTable } from './types.ts';

const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'];

/** An entry without the names of its fields, which a table of a million entries would repeat a million times. */
type Row = [
  path: string,
  type: number,
  mode: number,
  uid: number,
  gid: number,
  size: number,
  mtime: number,
  nsec: number,
  link: string,
  major: number,
  minor: number,
  content: number,
  xattrs?: [string, string][],
];

/** Fields of a row without its attributes. */
const FIELDS = 12;

type FrameRow = [offset: number, length: number, tarOffset: number, tarLength: number, digest: string];

/** A table of contents as JSON. */
export interface TocRows {
  readonly frames: readonly FrameRow[];
  readonly entries: readonly Row[];
}

/** @throws AppError CORRUPT for a row that is malformed, or says what no entry may be (checkEntry) */
export function fromRows({ frames, entries }: TocRows): TocTable {
  if (entries.length > LIMITS.tocRows.most)
    throw new AppError('CORRUPT', `a layer's table of contents has ${entries.length} entries`);
  return { frames: frames.map(fromFrameRow), entries: entries.map(fromRow) };
}

/** The row of an entry, to be written as JSON. */
export function toRow(entry: LayerEntry, contentOffset: number): Row {
  const { path, mode, uid, gid, size, mtime, mtimeNsec, linkname, devmajor, devminor } = entry;
  const row: Row = [
    path,
    TYPES.indexOf(entry.type),
    mode,
    uid,
    gid,
    size,
    mtime,
    mtimeNsec,
    linkname,
    devmajor,
    devminor,
    contentOffset,
  ];
  if (entry.xattrs?.size) {
    const names = [...entry.xattrs.keys()].sort();
    row.push(names.map((name) => [name, entry.xattrs!.get(name)!.toString('base64')]));
  }
  return row;
}

function fromRow(row: Row): TocEntry {
  const [
    path,
    type,
    mode,
    uid,
    gid,
    size,
    mtime,
    mtimeNsec,
    linkname,
    devmajor,
    devminor,
    contentOffset,
    xattrs,
  ] = row;
  const known = TYPES[type];
  const texts = typeof path === 'string' && typeof linkname === 'string';
  const attributes = xattrs === undefined || (Array.isArray(xattrs) && xattrs.length > 0);
  const more = row.length > FIELDS + (xattrs === undefined ? 0 : 1);
  if (
    known === undefined ||
    !texts ||
    !attributes ||
    more ||
    !(Number.isSafeInteger(contentOffset) && contentOffset >= 0)
  )
    throw new AppError('CORRUPT', "a layer's table of contents has a malformed entry");
  const entry: TocEntry = {
    path,
    type: known,
    mode,
    uid,
    gid,
    size,
    mtime,
    mtimeNsec,
    linkname,
    devmajor,
    devminor,
    contentOffset,
    ...(xattrs === undefined ? {} : { xattrs: new Map(xattrs.map(fromXattr)) }),
  };
  const wrong = checkEntry(entry);
  if (wrong !== undefined) throw new AppError('CORRUPT', `a layer's table of contents has an entry ${wrong}`);
  return entry;
}

function fromXattr([name, value]: readonly [string, string]): [string, Buffer] {
  if (typeof name === 'string' && typeof value === 'string') return [name, Buffer.from(value, 'base64')];
  throw new AppError('CORRUPT', "a layer's table of contents has a malformed attribute");
}

/** The row of a frame, to be written as JSON. */
export function toFrameRow({ offset, length, tarOffset, tarLength, digest }: TocFrame): FrameRow {
  return [offset, length, tarOffset, tarLength, base64(digest)];
}

function fromFrameRow([offset, length, tarOffset, tarLength, digest]: FrameRow): TocFrame {
  if (
    ![offset, length, tarOffset, tarLength].every((value) => Number.isSafeInteger(value) && value >= 0) ||
    typeof digest !== 'string'
  ) {
    throw new AppError('CORRUPT', "a layer's table of contents has a malformed frame");
  }
  return { offset, length, tarOffset, tarLength, digest: unbase64(digest) };
}

function base64(digest: Digest): string {
  return Buffer.from(hexOf(digest), 'hex').toString('base64').replace('=', '');
}

const SHA256_BYTES = 32;

function unbase64(text: string): Digest {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === SHA256_BYTES) return `sha256:${bytes.toString('hex')}`;
  throw new AppError('CORRUPT', "a layer's table of contents has a malformed digest");
}
