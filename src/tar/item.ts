import { AppError } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';
import { decodePath } from '../core/path-bytes.ts';
import { checkEntry } from './check-entry.ts';
import { cleanPath, type RawHeader } from './header.ts';
import { applyPax, type PaxRecords } from './pax.ts';
import type { EntryType, LayerEntry } from './types.ts';

/** Thrown for an entry that is well-formed, and that we do not take. */
export class RefusedEntry extends AppError {}

/** All headers of one entry. */
export interface EntryHeaders {
  readonly header: RawHeader;
  readonly type: EntryType;
  readonly pax: PaxRecords | undefined;
  readonly longName: Buffer | undefined;
  readonly longLink: Buffer | undefined;
}

const NO_RECORDS: PaxRecords = new Map();

/**
 * What the headers of an entry say together.
 * @returns the entry, whose size is that of its stored bytes; how many bytes are stored; and its PAX records
 * @throws RefusedEntry CORRUPT for what no entry may be (checkEntry), or what leaves the root; AppError CORRUPT
 */
export function entryOf(
  { header, type, pax, longName, longLink }: EntryHeaders,
  what: string,
): { readonly entry: LayerEntry; readonly stored: number; readonly records: PaxRecords } {
  const records = pax ?? NO_RECORDS;
  const facts = applyPax(header, records, what);
  const given = longName?.length ? longName : facts.path;
  const name = records.get('GNU.sparse.name') ?? given;
  // Only the oldest archives mark directories so; for Docker, any other file may have a slash at its end.
  const directory = type === 'file' && header.flag === '\0' && given.at(-1) === 0x2f;
  // Only files have content, though some writers give a size to links and directories (star, old GNU tar).
  const stored = type === 'file' && !directory ? facts.size : 0;
  const device = type === 'char' || type === 'block';
  const link = longLink?.length ? longLink : facts.link;
  if (link.includes(0) || name.includes(0))
    throw new AppError('CORRUPT', `${what} has a name with a NUL byte`);
  if (name.length > LIMITS.extension.most || link.length > LIMITS.extension.most)
    throw new RefusedEntry('CORRUPT', `${what} has a name of ${name.length} bytes`);
  const entry: LayerEntry = {
    path: localPath(name, what),
    type: directory ? 'dir' : type,
    mode: header.mode,
    uid: facts.uid,
    gid: facts.gid,
    size: stored,
    mtime: facts.mtime,
    mtimeNsec: facts.mtimeNsec,
    linkname: linkName(type, link, what),
    devmajor: device ? header.devmajor : 0,
    devminor: device ? header.devminor : 0,
    ...(facts.xattrs.size > 0 ? { xattrs: facts.xattrs } : {}),
  };
  const wrong = checkEntry(entry);
  if (wrong !== undefined) {
    const text = `${what} has an entry ${wrong}`;
    // Go's reader takes no such header, so to Docker the file is no archive.
    throw entry.size < 0 ? new AppError('CORRUPT', text) : new RefusedEntry('CORRUPT', text);
  }
  return { entry, stored, records };
}

function linkName(type: EntryType, link: Buffer, what: string): string {
  if (type === 'hardlink') return localPath(link, what);
  return type === 'symlink' ? decodePath(link) : '';
}

function localPath(bytes: Buffer, what: string): string {
  try {
    return cleanPath(bytes, what);
  } catch (error) {
    throw error instanceof AppError ? new RefusedEntry(error.code, error.message, { cause: error }) : error;
  }
}
