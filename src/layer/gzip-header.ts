import { crc32 } from 'node:zlib';
import { LIMITS } from '../core/limits.ts';
import type { Input } from './decode-input.ts';

/* RFC 1952, section 2.3: magic, method, flags, time, extra flags, system; then what the flags announce. */

const FIXED = 10;
const DEFLATE = 8;
const HEADER_CRC = 2;
const EXTRA = 4;
const NAME = 8;
const COMMENT = 16;
const RESERVED = 0xe0;

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Buffer): boolean {
  return bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Length in bytes of the gzip header that the input stands before; undefined when there is none. */
export async function gzipHeaderLength(input: Input): Promise<number | undefined> {
  const fixed = await input.peek(FIXED);
  if (fixed.length < FIXED || !isGzip(fixed) || fixed[2] !== DEFLATE || (fixed[3]! & RESERVED) !== 0)
    return undefined;
  const flags = fixed[3]!;
  let length: number | undefined = FIXED;
  if ((flags & EXTRA) !== 0) {
    const counted = await input.peek(length + 2);
    if (counted.length < length + 2) return undefined;
    length += 2 + counted.readUInt16LE(length);
  }
  for (const flag of [NAME, COMMENT])
    if ((flags & flag) !== 0 && length !== undefined) length = await afterNul(input, length);
  if (length === undefined) return undefined;
  if ((flags & HEADER_CRC) === 0) return (await input.peek(length)).length === length ? length : undefined;
  const header = await input.peek(length + 2);
  const isWhole = header.length === length + 2;
  // Go refuses a header with another sum, so that what stands behind it is no gzip to Docker.
  const sum = crc32(header.subarray(0, length)) & 0xffff;
  return isWhole && header.readUInt16LE(length) === sum ? length + 2 : undefined;
}

/** Go's reader takes names of 512 bytes; ours as much as any header may have. */
async function afterNul(input: Input, from: number): Promise<number | undefined> {
  for (let count = from + 512; ; count *= 2) {
    const bytes = await input.peek(count);
    const nul = bytes.indexOf(0, from);
    if (nul !== -1) return nul + 1;
    if (bytes.length < count || count > LIMITS.extension.most) return undefined;
  }
}
