import { constants as zlib, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Digest, digestOf, hexOf, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { EntryType, ReadRange, Toc, TocEntry, TocFrame, TocPosition } from './types.ts';

/*
 * The table of contents stands at the end of a layer in a zstd skippable frame (RFC 8878, section 3.1.2), which every
 * zstd decoder passes over: magic, length, the table (zstd), and a footer of 16 bytes by which it is found without a
 * record: the table's length (u32 LE), the version of its encoding (u32 LE), and eight letters.
 */
const SKIPPABLE_MAGIC = 0x184d2a50;
const FOOTER = 16;
const FOOTER_MAGIC = Buffer.from('envbTOC1', 'latin1');
const VERSION = 1;
/** Bytes of a decoded table: far above a layer of a million files, far below what would exhaust memory. */
const MOST_TOC_BYTES = 1024 * 1024 * 1024;

const TYPES: readonly EntryType[] = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo'];

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
  digest: string,
  xattrs?: [string, string][],
];

/** The skippable frame of a table, and where the table will stand when the frame is written at `offset`. */
export function encodeToc(
  toc: Toc,
  offset: number,
): { readonly frame: Buffer; readonly position: TocPosition } {
  const rows = toc.entries.map(toRow);
  const frames = toc.frames.map((frame) => [
    frame.offset,
    frame.length,
    frame.tarOffset,
    frame.tarLength,
    base64(frame.digest),
  ]);
  const table = zstdCompressSync(Buffer.from(JSON.stringify({ frames, entries: rows })), {
    params: { [zlib.ZSTD_c_compressionLevel]: 3 },
  });
  const head = Buffer.alloc(8);
  head.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  head.writeUInt32LE(table.length + FOOTER, 4);
  const footer = Buffer.alloc(FOOTER);
  footer.writeUInt32LE(table.length, 0);
  footer.writeUInt32LE(VERSION, 4);
  FOOTER_MAGIC.copy(footer, 8);
  return {
    frame: Buffer.concat([head, table, footer]),
    position: { offset: offset + head.length, length: table.length, digest: digestOf(table) },
  };
}

/**
 * Reads a layer's table of contents, from its position in a record, or from the footer at the end of the blob.
 * @throws AppError CORRUPT when it is not there, does not match its digest, or cannot be decoded
 */
export async function readToc(
  readRange: ReadRange,
  at: TocPosition | { readonly blobSize: number },
): Promise<Toc> {
  const position = 'blobSize' in at ? await findToc(readRange, at.blobSize) : at;
  const bytes = await readRange(position.offset, position.length);
  if (position.digest !== undefined && digestOf(bytes) !== position.digest) {
    throw new AppError('CORRUPT', "a layer's table of contents does not match its digest");
  }
  return decodeToc(bytes);
}

async function findToc(
  readRange: ReadRange,
  blobSize: number,
): Promise<{ offset: number; length: number; digest?: Digest }> {
  const footer = blobSize >= FOOTER ? await readRange(blobSize - FOOTER, FOOTER) : Buffer.alloc(0);
  const length = footer.length === FOOTER ? footer.readUInt32LE(0) : 0;
  const found =
    footer.length === FOOTER && footer.subarray(8).equals(FOOTER_MAGIC) && length + FOOTER <= blobSize;
  if (!found) throw new AppError('CORRUPT', 'the layer has no table of contents');
  if (footer.readUInt32LE(4) !== VERSION) {
    throw new AppError(
      'CORRUPT',
      `the layer's table of contents has the unknown version ${footer.readUInt32LE(4)}`,
    );
  }
  return { offset: blobSize - FOOTER - length, length };
}

function decodeToc(bytes: Buffer): Toc {
  try {
    const text = zstdDecompressSync(bytes, {
      maxOutputLength: MOST_TOC_BYTES,
      chunkSize: 1024 * 1024,
    }).toString('utf8');
    const { frames, entries } = JSON.parse(text) as { frames: unknown[][]; entries: Row[] };
    return { frames: frames.map(fromFrameRow), entries: entries.map(fromRow) };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('CORRUPT', "a layer's table of contents cannot be decoded", { cause });
  }
}

function toRow(entry: TocEntry): Row {
  const { path, mode, uid, gid, size, mtime, mtimeNsec, linkname, devmajor, devminor, contentOffset } = entry;
  const digest = entry.contentDigest ? base64(entry.contentDigest) : '';
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
    digest,
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
    digest,
    xattrs,
  ] = row;
  const numbers = [mode, uid, gid, size, mtime, mtimeNsec, devmajor, devminor, contentOffset];
  const known = TYPES[type];
  if (
    known === undefined ||
    typeof path !== 'string' ||
    typeof linkname !== 'string' ||
    !numbers.every(Number.isSafeInteger)
  ) {
    throw new AppError('CORRUPT', "a layer's table of contents has a malformed entry");
  }
  if (path.split('/').includes('..') || path.startsWith('/') || path.includes('\0')) {
    throw new AppError('CORRUPT', `a layer's table of contents names "${path}", which leaves the root`);
  }
  return {
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
    ...(digest === '' ? {} : { contentDigest: unbase64(digest) }),
    ...(xattrs
      ? { xattrs: new Map(xattrs.map(([name, value]) => [name, Buffer.from(value, 'base64')])) }
      : {}),
  };
}

function fromFrameRow(row: unknown[]): TocFrame {
  const [offset, length, tarOffset, tarLength, digest] = row as [number, number, number, number, string];
  if (![offset, length, tarOffset, tarLength].every((value) => Number.isSafeInteger(value) && value >= 0)) {
    throw new AppError('CORRUPT', "a layer's table of contents has a malformed frame");
  }
  return { offset, length, tarOffset, tarLength, digest: unbase64(digest) };
}

function base64(digest: Digest): string {
  return Buffer.from(hexOf(digest), 'hex').toString('base64').replace('=', '');
}

function unbase64(text: string): Digest {
  const digest = `sha256:${Buffer.from(text, 'base64').toString('hex')}`;
  if (!isDigest(digest)) throw new AppError('CORRUPT', "a layer's table of contents has a malformed digest");
  return digest;
}
