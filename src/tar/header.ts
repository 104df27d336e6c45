import { AppError } from '../core/error.ts';
import { decodePath, encodePath } from '../core/path-bytes.ts';
import { EMPTY_FILE } from './empty-file.ts';
import type { EntryType, LayerEntry } from './types.ts';

/** Bytes of a tar block; headers and content are padded to it (POSIX.1-2017 pax, "ustar Interchange Format"). */
export const BLOCK = 512;

/** Bytes of the zeros at the end of an archive. */
export const END_BYTES: number = 2 * BLOCK;

const TYPE_FLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};

const GNU_MAGIC = 'ustar  \0';
const NAME_BYTES = 100;
const LINK_AT = 157;
const OCTAL_7 = 0o7777777;
const OCTAL_11 = 0o77777777777;

/** Padding after content of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/**
 * The header blocks of an entry: a plain ustar header, with a PAX header before it only for what does not fit. Same
 * entry, same bytes.
 */
export function encodeHeader(entry: LayerEntry): Buffer {
  const name = encodePath(nameOf(entry));
  const link = encodePath(entry.linkname);
  const pax = paxRecords(entry, name, link);
  const header = ustar({
    name: name.subarray(0, NAME_BYTES),
    link: link.subarray(0, NAME_BYTES),
    flag: TYPE_FLAGS[entry.type],
    entry,
    size: entry.type === 'file' ? entry.size : 0,
  });
  if (pax.length === 0) return header;
  const body = Buffer.concat(pax);
  const plain: LayerEntry = { ...EMPTY_FILE, path: 'PaxHeaders/entry', size: body.length };
  const paxHeader = ustar({
    name: Buffer.from(plain.path),
    link: Buffer.alloc(0),
    flag: 'x',
    entry: plain,
    size: body.length,
  });
  return Buffer.concat([paxHeader, body, Buffer.alloc(padding(body.length)), header]);
}

/** Bytes of an entry's header blocks, as encodeHeader writes them. */
export function headerLength(entry: LayerEntry): number {
  if (isPlain(entry)) return BLOCK;
  const pax = paxRecords(entry, encodePath(nameOf(entry)), encodePath(entry.linkname));
  const body = pax.reduce((total, { length }) => total + length, 0);
  return body === 0 ? BLOCK : 2 * BLOCK + body + padding(body);
}

/**
 * Tells whether bytes have, from some place on, the very header that encodeHeader writes for an entry, and gives its
 * length; 0 when they have not. Much faster than making the header.
 */
export type HeaderCheck = (entry: LayerEntry, bytes: Buffer, at: number) => number;

/** @see HeaderCheck */
export function createHeaderCheck(): HeaderCheck {
  const block = Buffer.alloc(BLOCK);
  return (entry, bytes, at) => {
    let header: Buffer = block;
    if (isPlain(entry)) {
      block.fill(0);
      const name = block.write(nameOf(entry), 0, NAME_BYTES, 'latin1');
      const link = entry.linkname === '' ? 0 : block.write(entry.linkname, LINK_AT, NAME_BYTES, 'latin1');
      writeFields(block, TYPE_FLAGS[entry.type], entry, entry.size);
      // All else is zero.
      const fields =
        sum(block, 100, 148) + sum(block, 156, 157) + sum(block, 257, 265) + sum(block, 329, 345);
      writeChecksum(block, 8 * 32 + fields + sum(block, 0, name) + sum(block, LINK_AT, LINK_AT + link));
    } else header = encodeHeader(entry);
    const end = at + header.length;
    return end <= bytes.length && bytes.compare(header, 0, header.length, at, end) === 0 ? header.length : 0;
  };
}

/** The name in the header: directories end with a slash. */
function nameOf({ type, path }: LayerEntry): string {
  if (type !== 'dir') return path;
  return path === '' ? './' : `${path}/`;
}

/** Whether an entry needs no PAX header. */
function isPlain(entry: LayerEntry): boolean {
  const { path, linkname, size, uid, gid, mtime, mtimeNsec, xattrs } = entry;
  if (path.length >= NAME_BYTES || linkname.length > NAME_BYTES || mtimeNsec !== 0) return false;
  if (uid > OCTAL_7 || gid > OCTAL_7 || size > OCTAL_11 || mtime < 0 || mtime > OCTAL_11) return false;
  return (xattrs === undefined || xattrs.size === 0) && !NOT_ASCII.test(path) && !NOT_ASCII.test(linkname);
}

const NOT_ASCII = /[^\0-\x7f]/;

function paxRecords(entry: LayerEntry, name: Buffer, link: Buffer): Buffer[] {
  const records: [string, Buffer][] = [];
  const add = (key: string, value: Buffer | string): void => {
    records.push([key, Buffer.from(value as string)]);
  };
  if (name.length > NAME_BYTES || !isAscii(name)) add('path', name);
  if (link.length > NAME_BYTES || !isAscii(link)) add('linkpath', link);
  if (entry.type === 'file' && entry.size > OCTAL_11) add('size', String(entry.size));
  if (entry.uid > OCTAL_7) add('uid', String(entry.uid));
  if (entry.gid > OCTAL_7) add('gid', String(entry.gid));
  if (entry.mtime < 0 || entry.mtime > OCTAL_11 || entry.mtimeNsec !== 0) add('mtime', formatTime(entry));
  const names = [...(entry.xattrs?.keys() ?? [])].sort();
  for (const xattr of names) add(`SCHILY.xattr.${xattr}`, entry.xattrs!.get(xattr)!);
  return records.map(([key, value]) => paxRecord(key, value));
}

/** `length key=value\n`, where the length counts itself (POSIX.1-2017 pax, "pax Header Block"). */
function paxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function formatTime({ mtime, mtimeNsec }: LayerEntry): string {
  if (mtimeNsec === 0) return String(mtime);
  if (mtime >= 0) return `${mtime}.${String(mtimeNsec).padStart(9, '0')}`;
  const whole = mtime + 1;
  return `-${-whole}.${String(1_000_000_000 - mtimeNsec).padStart(9, '0')}`;
}

interface Fields {
  readonly name: Buffer;
  readonly link: Buffer;
  readonly flag: string;
  readonly entry: LayerEntry;
  readonly size: number;
}

function ustar({ name, link, flag, entry, size }: Fields): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0);
  link.copy(block, LINK_AT);
  writeFields(block, flag, entry, size);
  return seal(block);
}

/** Writes everything but name, target and checksum into a block of zeros. */
function writeFields(block: Buffer, flag: string, entry: LayerEntry, size: number): void {
  octal(block, 100, 8, entry.mode);
  octal(block, 108, 8, entry.uid > OCTAL_7 ? 0 : entry.uid);
  octal(block, 116, 8, entry.gid > OCTAL_7 ? 0 : entry.gid);
  octal(block, 124, 12, size > OCTAL_11 ? 0 : size);
  octal(block, 136, 12, entry.mtime < 0 || entry.mtime > OCTAL_11 ? 0 : entry.mtime);
  block[156] = flag.charCodeAt(0);
  block.write('ustar\x0000', 257, 'latin1');
  if (entry.type === 'char' || entry.type === 'block') {
    octal(block, 329, 8, entry.devmajor);
    octal(block, 337, 8, entry.devminor);
  }
}

/** Writes the checksum into a header block, and returns the block. */
export function seal(block: Buffer): Buffer {
  writeChecksum(block, checksum(block));
  return block;
}

function octal(block: Buffer, at: number, width: number, value: number): void {
  let rest = value;
  let i = at + width - 2;
  for (; rest > 0xffffffff; i -= 1) {
    block[i] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
  for (; i >= at; i -= 1) {
    block[i] = 0x30 | (rest & 7);
    rest >>>= 3;
  }
}

function writeChecksum(block: Buffer, value: number): void {
  octal(block, 148, 7, value);
  block[154] = 0;
  block[155] = 0x20;
}

function checksum(block: Buffer): number {
  return 8 * 32 + sum(block, 0, 148) + sum(block, 156, BLOCK);
}

function sum(bytes: Buffer, from: number, to: number): number {
  let total = 0;
  for (let i = from; i < to; i += 1) total += bytes[i]!;
  return total;
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 128);
}

/** A header block as it stands, before PAX and GNU extensions are applied. */
export interface RawHeader {
  readonly name: Buffer;
  readonly link: Buffer;
  readonly flag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly devmajor: number;
  readonly devminor: number;
  /** Whether the block has GNU's own layout, which alone knows sparse files of type S. */
  readonly gnu: boolean;
  readonly block: Buffer;
}

/**
 * Reads one header block; undefined for a block of zeros.
 * @throws AppError CORRUPT for a wrong checksum or a malformed number; `what` names the layer
 */
export function parseHeader(block: Buffer, what: string): RawHeader | undefined {
  if (isZero(block)) return undefined;
  const stored = number(block, 148, 8, what);
  if (stored !== checksum(block) && stored !== signedChecksum(block)) {
    throw new AppError('CORRUPT', `${what} is not a tar archive: a header has a wrong checksum`);
  }
  const magic = block.toString('latin1', 257, 265);
  const posix = magic.startsWith('ustar\0');
  const name = text(block, 0, 100);
  // star keeps times behind a shorter prefix (Go's archive/tar, "STAR format").
  const star = posix && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = posix ? text(block, 345, star ? 131 : 155) : Buffer.alloc(0);
  const device = posix || magic === GNU_MAGIC;
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    link: text(block, 157, 100),
    flag: String.fromCharCode(block[156]!),
    mode: number(block, 100, 8, what) & 0o7777,
    uid: number(block, 108, 8, what),
    gid: number(block, 116, 8, what),
    size: length(block, what),
    mtime: time(block, what),
    devmajor: device ? number(block, 329, 8, what) : 0,
    devminor: device ? number(block, 337, 8, what) : 0,
    gnu: magic === GNU_MAGIC,
    block,
  };
}

/**
 * A path as Go's filepath.Clean makes it, relative to the root: no leading or trailing `/`, no `.`, and `..` as far as
 * there is something to leave.
 * @throws AppError CORRUPT for NUL, and where `..` leaves the root
 */
export function cleanPath(bytes: Buffer, what: string): string {
  const path = decodePath(bytes);
  if (path.includes('\0')) throw new AppError('CORRUPT', `${what} has a file name with a NUL byte`);
  if (!NEEDS_CLEANING.test(path)) return path;
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) {
      const shown = JSON.stringify(path.slice(0, 200));
      throw new AppError('CORRUPT', `${what} has the file name ${shown}, which leaves the root`);
    }
  }
  return parts.join('/');
}

const NEEDS_CLEANING = /(^|\/)\.{0,2}(\/|$)/;

/** A numeric field: octal text, or base 256 when its first bit is set (GNU tar, "Extensions to tar"). */
export function number(block: Buffer, at: number, width: number, what: string): number {
  if (block[at]! & 0x80) {
    const value = base256(block, at, width);
    if (Number.isSafeInteger(value)) return value;
    throw new AppError('CORRUPT', `${what} has a tar header with a number out of range`);
  }
  const digits = block
    .toString('latin1', at, at + width)
    .replace(/^[\0 ]+/, '')
    .replace(/\0.*$/s, '')
    .replace(/ +$/, '');
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits))
    throw new AppError(
      'CORRUPT',
      `${what} has a tar header with the malformed number ${JSON.stringify(digits)}`,
    );
  return Number.parseInt(digits, 8);
}

function length(block: Buffer, what: string): number {
  const size = number(block, 124, 12, what);
  if (size >= 0) return size;
  throw new AppError('CORRUPT', `${what} has a tar header with the size ${size}`);
}

/** A time that no file can have is that of the epoch, as for Docker. */
function time(block: Buffer, what: string): number {
  return block[136]! & 0x80 ? orZero(base256(block, 136, 12)) : number(block, 136, 12, what);
}

function orZero(value: number): number {
  return Number.isSafeInteger(value) ? value : 0;
}

function base256(block: Buffer, at: number, width: number): number {
  let value = BigInt(block[at]! & 0x7f);
  const negative = (block[at]! & 0x40) !== 0;
  for (let i = 1; i < width; i += 1) value = (value << 8n) | BigInt(block[at + i]!);
  if (negative) value -= 1n << BigInt(width * 8 - 1);
  return Number(value);
}

function text(block: Buffer, at: number, width: number): Buffer {
  const end = block.indexOf(0, at);
  return block.subarray(at, end === -1 || end > at + width ? at + width : end);
}

function signedChecksum(block: Buffer): number {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i += 1) if (i < 148 || i >= 156) sum += block.readInt8(i);
  return sum;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}
