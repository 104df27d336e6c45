import { type Digest, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { checkEntry } from '../tar/check-entry.ts';
import type { EntryType, LayerEntry } from '../tar/types.ts';
import type { TocEntry, TocFrame } from './types.ts';

const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'];

/** An entry without the names of its fields, which a table of a million entries would repeat a million times. */
export type Row = [
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

/** A frame in the same way. */
export type FrameRow = [offset: number, length: number, tarOffset: number, tarLength: number, digest: string];

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

/**
 * The entry of a row that JSON had.
 * @throws AppError CORRUPT for one that is malformed, or says what no entry may be (checkEntry); other errors for no row at all
 */
export function fromRow(row: Row): TocEntry {
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

/** As fromRow, for a frame. */
export function fromFrameRow([offset, length, tarOffset, tarLength, digest]: FrameRow): TocFrame {
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
