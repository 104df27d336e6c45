import { createHash } from 'node:crypto';
import type { Digest } from './digest.ts';
import { encodePath } from './path-bytes.ts';

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
  const parts: Uint8Array[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

/** SHA-256 over canonicalBytes(value). */
export function canonicalDigest(value: Canonical): Digest {
  return `sha256:${createHash('sha256').update(canonicalBytes(value)).digest('hex')}`;
}

function write(value: Canonical, parts: Uint8Array[]): void {
  if (value === null) return field(parts, TAG.null, 0);
  if (value === false) return field(parts, TAG.false, 0);
  if (value === true) return field(parts, TAG.true, 0);
  if (typeof value === 'string') return bytes(parts, TAG.string, encodePath(value));
  if (typeof value === 'bigint') return bytes(parts, TAG.integer, Buffer.from(value.toString()));
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
    return bytes(parts, TAG.integer, Buffer.from(String(value)));
  }
  if (value instanceof Uint8Array) return bytes(parts, TAG.bytes, value);
  if (Array.isArray(value)) {
    field(parts, TAG.list, value.length);
    for (const item of value) write(item, parts);
    return;
  }
  const fields = Object.entries(value as Record<string, Canonical | undefined>)
    .filter((entry): entry is [string, Canonical] => entry[1] !== undefined)
    .map(([name, item]) => ({ name: encodePath(name), item }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
  field(parts, TAG.map, fields.length);
  for (const { name, item } of fields) {
    bytes(parts, TAG.string, name);
    write(item, parts);
  }
}

function field(parts: Uint8Array[], tag: number, length: number): void {
  const head = Buffer.allocUnsafe(5);
  head.writeUInt8(tag, 0);
  head.writeUInt32BE(length, 1);
  parts.push(head);
}

function bytes(parts: Uint8Array[], tag: number, content: Uint8Array): void {
  field(parts, tag, content.length);
  parts.push(content);
}
