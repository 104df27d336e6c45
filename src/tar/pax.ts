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
const LIBARCHIVE_XATTR = 'LIBARCHIVE.xattr.';

/**
 * Adds the records of a PAX header; an empty value removes one (POSIX.1-2017 pax, "pax Header Block").
 * @throws AppError CORRUPT for a malformed record
 */
export function parsePax(bytes: Buffer, into: PaxRecords, what: string): void {
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    const space = bytes.indexOf(0x20, at);
    const length = space === -1 ? Number.NaN : Number(bytes.toString('latin1', at, space));
    const end = at + length;
    const equals = bytes.indexOf(0x3d, space);
    if (
      !Number.isInteger(length) ||
      end > bytes.length ||
      equals === -1 ||
      equals >= end ||
      bytes[end - 1] !== 0x0a
    ) {
      throw new AppError('CORRUPT', `${what} has a malformed PAX header`);
    }
    const key = bytes.toString('utf8', space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    // Sparse maps of format 0.0 repeat their keywords; they are kept in order, joined by commas, as format 0.1 has them.
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      const before = into.get('GNU.sparse.map');
      into.set('GNU.sparse.map', before ? Buffer.concat([before, Buffer.from(','), value]) : value);
    } else if (value.length === 0 && !key.startsWith(XATTR)) into.delete(key);
    else into.set(key, Buffer.from(value));
    at = end;
  }
}

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
  for (const [key, value] of records) {
    if (key.startsWith(XATTR)) xattrs.set(key.slice(XATTR.length), value);
    else if (key.startsWith(LIBARCHIVE_XATTR)) {
      const name = decodeURIComponent(key.slice(LIBARCHIVE_XATTR.length));
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'));
    }
  }
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
  if (!Number.isSafeInteger(seconds)) throw malformed(what, 'mtime', text);
  if (match[1] !== '-') return { mtime: seconds, mtimeNsec: nsec };
  return nsec === 0
    ? { mtime: -seconds || 0, mtimeNsec: 0 }
    : { mtime: -seconds - 1, mtimeNsec: 1_000_000_000 - nsec };
}

function malformed(what: string, key: string, text: string): AppError {
  return new AppError('CORRUPT', `${what} has a PAX header with the malformed ${key} "${text.slice(0, 40)}"`);
}
