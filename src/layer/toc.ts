import { createZstdDecompress, constants as zlib, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { release } from '../core/release.ts';
import type { LayerEntry } from '../tar/types.ts';
import { createTableReader } from './toc-json.ts';
import { createLayoutCheck } from './toc-layout.ts';
import { toFrameRow, toRow } from './toc-rows.ts';
import type { LayerBlob, Toc, TocFrame, TocPosition } from './types.ts';

/*
 * The table of contents stands at the end of a layer in a zstd skippable frame (RFC 8878, section 3.1.2), which every
 * zstd decoder passes over: magic, length, the table (zstd), and a footer of 16 bytes by which it is found without a
 * record: the table's length (u32 LE), the version of its encoding (u32 LE), and eight letters.
 */
const SKIPPABLE_MAGIC = 0x184d2a50;
const HEAD = 8;
const FOOTER = 16;
const FOOTER_MAGIC = Buffer.from('envbTOC1', 'latin1');
/** The first one had a digest of each file's content, which nobody needs who compares the whole tar. */
export const TOC_VERSION = 2;
const DECODE_CHUNK = 256 * 1024;

/** Takes the entries of a layer and makes the frame of its table of contents; it holds their rows as text only. */
export interface TocWriter {
  /** @param contentOffset see TocEntry */
  add(entry: LayerEntry, contentOffset: number): void;
  /**
   * @param offset where the frame will stand in the blob
   * @returns the skippable frame, and where the table stands in it; undefined for a table that is too large to be read again
   */
  finish(
    frames: readonly TocFrame[],
    offset: number,
  ): { readonly frame: Buffer; readonly position: TocPosition } | undefined;
}

const PART_LENGTH = 64 * 1024;

/** @see TocWriter */
export function createTocWriter(): TocWriter {
  let parts: Buffer[] = [];
  let part = '';
  let rows = 0;
  let bytes = 0;
  const isTooLarge = (): boolean => rows > LIMITS.tocRows.most || bytes > LIMITS.tocBytes.most;
  const put = (text: string): void => {
    const part = Buffer.from(text);
    bytes += part.length;
    parts.push(part);
    if (isTooLarge()) parts = [];
  };
  return {
    add: (entry, contentOffset) => {
      rows += 1;
      if (isTooLarge()) return;
      const row = JSON.stringify(toRow(entry, contentOffset));
      if (row.length * 3 > LIMITS.tocRow.most && Buffer.byteLength(row) > LIMITS.tocRow.most) {
        rows = Number.POSITIVE_INFINITY;
        return;
      }
      part += `${rows === 1 ? '' : ','}${row}`;
      if (part.length < PART_LENGTH) return;
      put(part);
      part = '';
    },
    finish: (frames, offset) => {
      if (frames.length > LIMITS.tocFrames.most) return undefined;
      put(`${part}]}`);
      const head = Buffer.from(`{"frames":${JSON.stringify(frames.map(toFrameRow))},"entries":[`);
      bytes += head.length;
      if (isTooLarge()) return undefined;
      const plain = Buffer.concat([head, ...parts]);
      parts = [];
      const table = zstdCompressSync(plain, { params: { [zlib.ZSTD_c_compressionLevel]: 3 } });
      return {
        frame: Buffer.concat([headOf(table.length), table, footerOf(table.length)]),
        position: { offset: offset + HEAD, length: table.length, digest: digestOf(table) },
      };
    },
  };
}

function headOf(tableLength: number): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(SKIPPABLE_MAGIC, 0);
  head.writeUInt32LE(tableLength + FOOTER, 4);
  return head;
}

function footerOf(tableLength: number): Buffer {
  const footer = Buffer.alloc(FOOTER);
  footer.writeUInt32LE(tableLength, 0);
  footer.writeUInt32LE(TOC_VERSION, 4);
  FOOTER_MAGIC.copy(footer, 8);
  return footer;
}

/** The range of a layer that readToc reads. */
export function tocRange({ offset, length }: TocPosition): {
  readonly offset: number;
  readonly length: number;
} {
  return { offset: offset - HEAD, length: HEAD + length + FOOTER };
}

/**
 * Reads a layer's table of contents, of which a record tells where it stands: at the very end of the layer.
 * @throws AppError CORRUPT when it is not there, does not match its digest, cannot be decoded, or does not say all of the
 * layer (createLayoutCheck)
 */
export async function readToc({
  readRange,
  size,
  toc: at,
}: Pick<LayerBlob, 'readRange' | 'size'> & { readonly toc: TocPosition }): Promise<Toc> {
  const range = tocRange(at);
  if (range.offset < 0 || at.length > LIMITS.tocBytes.most || range.offset + range.length !== size)
    throw new AppError('CORRUPT', "a layer's table of contents is not at its end");
  const bytes = await readRange(range.offset, range.length);
  const table = bytes.subarray(HEAD, HEAD + at.length);
  if (digestOf(table) !== at.digest)
    throw new AppError('CORRUPT', "a layer's table of contents does not match its digest");
  const [head, footer] = [bytes.subarray(0, HEAD), bytes.subarray(HEAD + at.length)];
  if (!head.equals(headOf(at.length)) || !footer.equals(footerOf(at.length)))
    throw new AppError('CORRUPT', "a layer's table of contents stands in no frame of its own");
  return decodeToc(table, range.offset);
}

async function decodeToc(bytes: Buffer, end: number): Promise<Toc> {
  const decoder = createZstdDecompress({ chunkSize: DECODE_CHUNK });
  try {
    const layout = createLayoutCheck(end);
    const reader = createTableReader(layout);
    decoder.end(bytes);
    for await (const part of decoder as AsyncIterable<Buffer>) {
      reader.push(part);
      release(part);
    }
    return { ...reader.end(), firstEntries: layout.end() };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('CORRUPT', "a layer's table of contents cannot be decoded", { cause });
  }
}
