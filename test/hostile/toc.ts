/*
 * Layers as we write them: frames of zstd, and a table of contents in a frame that others skip (src/layer/toc.ts describes
 * it). Made here by hand, so that a table can say anything.
 */
import { encode, skippable } from './encode.ts';
import { sha256 } from './registry.ts';

/** A row of the table: path, type, mode, uid, gid, size, mtime, nanoseconds, link, major, minor, offset, attributes. */
export type Row = unknown[];
/** Offset and length of a frame, offset and length of its tar bytes, digest in base64. */
export type FrameRow = unknown[];

export interface Table {
  frames: FrameRow[];
  entries: Row[];
}

/** A layer with its table, and where the table stands. */
export interface OwnLayer {
  readonly bytes: Buffer;
  readonly toc: { offset: number; length: number; digest: string };
  readonly diffId: string;
}

export interface OwnLayerOptions {
  /** Changes the table before it is written; what it gives, if anything, is written in its place. */
  readonly edit?: (table: Table) => unknown;
  /** Changes the bytes of the table, which stand compressed. */
  readonly editBytes?: (table: Buffer) => Buffer;
  readonly frameBytes?: number;
}

const TYPES: Readonly<Record<string, number>> = {
  '0': 0,
  '\0': 0,
  '7': 0,
  '5': 1,
  '2': 2,
  '1': 3,
  '3': 4,
  '4': 5,
  '6': 6,
};

/** A layer of a tar, which may be hostile: its table then says what can be read of it. */
export function ownLayer(tar: Buffer, options: OwnLayerOptions = {}): OwnLayer {
  const { edit = () => {}, editBytes = (bytes) => bytes, frameBytes = 4 * 1024 * 1024 } = options;
  const frames: FrameRow[] = [];
  const parts: Buffer[] = [];
  let offset = 0;
  for (let at = 0; at < tar.length; at += frameBytes) {
    const plain = tar.subarray(at, at + frameBytes);
    const bytes = encode(plain, 'zstd');
    frames.push([offset, bytes.length, at, plain.length, base64(sha256(bytes))]);
    parts.push(bytes);
    offset += bytes.length;
  }
  const table: Table = { frames, entries: rowsOf(tar) };
  const given = edit(table);
  const written = given === undefined ? table : given;
  const text = Buffer.isBuffer(written) ? written : Buffer.from(JSON.stringify(written));
  const packed = editBytes(encode(text, 'zstd'));
  const footer = Buffer.alloc(16);
  footer.writeUInt32LE(packed.length, 0);
  footer.writeUInt32LE(2, 4);
  footer.write('envbTOC1', 8, 'latin1');
  return {
    bytes: Buffer.concat([...parts, skippable(Buffer.concat([packed, footer]))]),
    toc: { offset: offset + 8, length: packed.length, digest: sha256(packed) },
    diffId: sha256(tar),
  };
}

/** A digest as the table has it. */
export function base64(digest: string): string {
  return Buffer.from(digest.slice(7), 'hex').toString('base64').replace('=', '');
}

/** The rows of a tar, as far as it can be read. */
function rowsOf(tar: Buffer): Row[] {
  const rows: Row[] = [];
  let pax: Record<string, string> = {};
  for (let at = 0; at + 512 <= tar.length; ) {
    const head = tar.subarray(at, at + 512);
    if (head.every((byte) => byte === 0)) break;
    const flag = String.fromCharCode(head[156]!);
    const own = Number.parseInt(text(head, 124, 12).trim() || '0', 8);
    const size = 'xg'.includes(flag) || pax.size === undefined ? own : Number(pax.size);
    if (!Number.isSafeInteger(size) || size < 0 || size > tar.length) break;
    const content = tar.subarray(at + 512, at + 512 + size);
    if (flag === 'x') pax = records(content);
    else if (flag === 'L') pax = { ...pax, path: text(content, 0, content.length) };
    else if (flag === 'K') pax = { ...pax, linkpath: text(content, 0, content.length) };
    else {
      const type = TYPES[flag];
      if (type !== undefined) rows.push(row(head, type, content, at + 512, pax));
      pax = {};
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return rows;
}

function row(head: Buffer, type: number, content: Buffer, offset: number, pax: Record<string, string>): Row {
  const octal = (at: number, width: number): number =>
    Number.parseInt(text(head, at, width).trim() || '0', 8) || 0;
  const path = pax.path ?? text(head, 0, 100);
  const target = pax.linkpath ?? text(head, 157, 100);
  const filled = type === 0 && content.length > 0;
  return [
    trimmed(path),
    type,
    octal(100, 8) & 0o7777,
    Number(pax.uid ?? octal(108, 8)),
    Number(pax.gid ?? octal(116, 8)),
    type === 0 ? content.length : 0,
    octal(136, 12),
    0,
    type === 2 || type === 3 ? target : '',
    octal(329, 8),
    octal(337, 8),
    filled ? offset : 0,
  ];
}

/** Without slashes at its ends: a path may have a million in its middle, which an expression would look at from each of them. */
function trimmed(path: string): string {
  const rest = path.replace(/^(?:\.?\/)+/, '');
  let end = rest.length;
  while (rest[end - 1] === '/') end -= 1;
  return rest.slice(0, end);
}

function text(bytes: Buffer, at: number, width: number): string {
  const field = bytes.subarray(at, at + width);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function records(bytes: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const length = Number(bytes.toString('latin1', at, Math.max(space, at)));
    const equals = bytes.indexOf(0x3d, space);
    if (!(length > 0) || space < 0 || equals < 0 || equals > at + length) break;
    found[bytes.toString('utf8', space + 1, equals)] = bytes.toString('utf8', equals + 1, at + length - 1);
    at += length;
  }
  return found;
}
