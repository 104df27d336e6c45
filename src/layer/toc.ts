import { constants as zlib, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Digest, digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { fromRows, type TocRows, toRows } from './toc-rows.ts';
import type { ReadRange, Toc, TocPosition } from './types.ts';

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

/** The skippable frame of a table, and where the table will stand when the frame is written at `offset`. */
export function encodeToc(
  toc: Toc,
  offset: number,
): { readonly frame: Buffer; readonly position: TocPosition } {
  const table = zstdCompressSync(Buffer.from(JSON.stringify(toRows(toc))), {
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
    return fromRows(JSON.parse(text) as TocRows);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('CORRUPT', "a layer's table of contents cannot be decoded", { cause });
  }
}
