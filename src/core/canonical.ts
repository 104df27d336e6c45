import { createHash } from 'node:crypto';
import type { Digest } from './digest.ts';
import { comparePaths, encodePath } from './path-bytes.ts';

/** A value that has one canonical byte string. Strings are path strings (see path-bytes), so any file name fits. */
export type Canonical =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | readonly Canonical[]
  | { readonly [field: string]: Canonical | undefined };

const TAG = { null: 0, false: 1, true: 2, integer: 3, string: 4, bytes: 5, list: 6, map: 7 } as const;

/**
 * The canonical bytes of a value: every field is a tag (u8), a length (u32 BE) and its bytes; a list's length is its
 * count; a map's fields are sorted by the bytes of their names and undefined ones are left out. Two values have the same
 * bytes only when they are equal, so the bytes can be hashed into keys and signed.
 * @throws RangeError for a number that is not a safe integer
 */
export function canonicalBytes(value: Canonical): Buffer {
  const parts: Buffer[] = [];
  encode(value, (part) => parts.push(Buffer.from(part)));
  return Buffer.concat(parts);
}

/** SHA-256 over canonicalBytes(value), which never stand in memory as a whole. */
export function canonicalDigest(value: Canonical): Digest {
  const hash = createHash('sha256');
  encode(value, (part) => hash.update(part));
  return `sha256:${hash.digest('hex')}`;
}

/** What a list of many items hashes to, of which none is kept. */
export interface ListDigest {
  add(item: Canonical): void;
  /** To be asked for once, after the last item: what canonicalDigest gives for a list of all. */
  digest(): Digest;
}

/** @param count of the items that will be added */
export function createListDigest(count: number): ListDigest {
  const hash = createHash('sha256');
  const encoder = createEncoder((part) => hash.update(part));
  encoder.list(count);
  return {
    add: encoder.write,
    digest: () => {
      encoder.flush();
      return `sha256:${hash.digest('hex')}`;
    },
  };
}

/** Bytes of a tag and a length. */
const HEAD = 5;
/** Most bytes of a UTF-16 code unit in UTF-8. */
const UNIT = 3;
const BUFFER = 64 * 1024;

function encode(value: Canonical, out: (part: Buffer) => void): void {
  const { write, flush } = createEncoder(out);
  write(value);
  flush();
}

/** Hands the bytes on in parts, each valid until the next one: a key of 100,000 files has a million fields. */
function createEncoder(out: (part: Buffer) => void): {
  readonly write: (item: Canonical) => void;
  /** The head of a list; its items are to follow. */
  readonly list: (count: number) => void;
  readonly flush: () => void;
} {
  const buffer = Buffer.allocUnsafe(BUFFER);
  let at = 0;
  const flush = (): void => {
    if (at > 0) out(buffer.subarray(0, at));
    at = 0;
  };
  const head = (tag: number, length: number): void => {
    if (at + HEAD > BUFFER) flush();
    buffer[at] = tag;
    buffer.writeUInt32BE(length, at + 1);
    at += HEAD;
  };
  const bytes = (tag: number, content: Uint8Array): void => {
    head(tag, content.length);
    if (at + content.length > BUFFER) flush();
    if (content.length > BUFFER) return out(Buffer.from(content.buffer, content.byteOffset, content.length));
    buffer.set(content, at);
    at += content.length;
  };
  const text = (tag: number, content: string): void => {
    const most = HEAD + content.length * UNIT;
    if (most > BUFFER || !content.isWellFormed()) return bytes(tag, encodePath(content));
    if (at + most > BUFFER) flush();
    const length = buffer.write(content, at + HEAD, 'utf8');
    head(tag, length);
    at += length;
  };
  const map = (fields: Readonly<Record<string, Canonical | undefined>>): void => {
    const names = Object.keys(fields).filter((name) => fields[name] !== undefined);
    head(TAG.map, names.length);
    for (const name of names.sort(comparePaths)) {
      text(TAG.string, name);
      write(fields[name]!);
    }
  };
  const list = (count: number): void => head(TAG.list, count);
  const write = (item: Canonical): void => {
    if (item === null) return head(TAG.null, 0);
    if (item === false) return head(TAG.false, 0);
    if (item === true) return head(TAG.true, 0);
    if (typeof item === 'string') return text(TAG.string, item);
    if (typeof item === 'bigint') return text(TAG.integer, item.toString());
    if (typeof item === 'number') {
      if (!Number.isSafeInteger(item)) throw new RangeError(`not a safe integer: ${item}`);
      return text(TAG.integer, String(item));
    }
    if (item instanceof Uint8Array) return bytes(TAG.bytes, item);
    if (!Array.isArray(item)) return map(item as Record<string, Canonical | undefined>);
    list(item.length);
    for (const each of item) write(each);
  };
  return { write, list, flush };
}
