import { AppError } from '../core/error.ts';
import type { RawHeader } from './header.ts';

/** PAX records by keyword; values are raw bytes. */
export type PaxRecords = Map<string, Buffer>;

/** What PAX records can override in a header. */
export interface PaxFacts {
  readonly path: Buffer;
  readonly link: Buffer;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
}

const XATTR = 'SCHILY.xattr.';

/**
 * Adds the records of a PAX header; one with an empty value has no effect but for attributes, which may be empty
 * (POSIX.1-2017 pax, "pax Header Block", as Go's archive/tar reads it).
 * @throws AppError CORRUPT for a malformed record
 */
export function parsePax(bytes: Buffer, into: PaxRecords, what: string): void {
  const map: Buffer[] = [];
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.subarray(at, at + MOST_DIGITS + 1).indexOf(0x20) + at;
    const digits = bytes.toString('latin1', at, Math.max(at, space));
    const end = at + (/^\+?[0-9]+$/.test(digits) ? Number(digits) : Number.NaN);
    const equals = bytes.indexOf(0x3d, space);
    if (!(end <= bytes.length) || equals === -1 || equals >= end || bytes[end - 1] !== 0x0a)
      throw new AppError('CORRUPT', `${what} has a malformed PAX header`);
    const key = bytes.toString('utf8', space + 1, equals);
    // For Go that is no header, and so no archive to ADD.
    if (key.includes('\0')) throw new AppError('CORRUPT', `${what} has a malformed PAX header`);
    const value = bytes.subarray(equals + 1, end - 1);
    // Sparse maps of format 0.0 repeat their keywords; they are kept in order, joined by commas, as format 0.1 has them.
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') map.push(value, COMMA);
    else if (value.length === 0 && !key.startsWith(XATTR)) into.delete(key);
    else into.set(key, Buffer.from(value));
    at = end;
  }
  if (map.length > 0) into.set('GNU.sparse.map', Buffer.concat(map.slice(0, -1)));
}

const COMMA = Buffer.from(',');
/** Of the length of a record; far more than any header can have. */
const MOST_DIGITS = 12;

/** The header's facts with the records applied. */
export function applyPax(header: RawHeader, records: PaxRecords, what: string): PaxFacts {
  const integer = (key: string, fallback: number): number => {
    const text = records.get(key)?.toString('latin1');
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw malformed(what, key, text);
    return value;
  };
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of records) if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
  return {
    path: records.get('path') ?? header.name,
    link: records.get('linkpath') ?? header.link,
    uid: integer('uid', header.uid),
    gid: integer('gid', header.gid),
    size: integer('size', header.size),
    ...mtimeOf(records.get('mtime')?.toString('latin1'), header.mtime, what),
    xattrs,
  };
}

function mtimeOf(
  text: string | undefined,
  fallback: number,
  what: string,
): { mtime: number; mtimeNsec: number } {
  if (text === undefined) return { mtime: fallback, mtimeNsec: 0 };
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text);
  if (!match || text === '' || text === '-') throw malformed(what, 'mtime', text);
  const seconds = Number(match[2] || '0');
  const nsec = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  // As Docker does with a time that no file can have.
  if (!Number.isSafeInteger(seconds)) return { mtime: 0, mtimeNsec: 0 };
  if (match[1] !== '-') return { mtime: seconds, mtimeNsec: nsec };
  return nsec === 0
    ? { mtime: -seconds || 0, mtimeNsec: 0 }
    : { mtime: -seconds - 1, mtimeNsec: 1_000_000_000 - nsec };
}

function malformed(what: string, key: string, text: string): AppError {
  return new AppError('CORRUPT', `${what} has a PAX header with the malformed ${key} "${text.slice(0, 40)}"`);
}
