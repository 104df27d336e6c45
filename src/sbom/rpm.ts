import type { DatabaseSync } from 'node:sqlite';
import { textOf } from './system-packages.ts';
import { oneLine } from './text.ts';
import type { Package } from './types.ts';

/** As rpm makes it (lib/backend/sqlite.cc), without white space. A view, or columns that are computed, could take for ever. */
const SCHEMA = "CREATETABLE'Packages'(hnumINTEGERPRIMARYKEYAUTOINCREMENT,blobBLOBNOTNULL)";
/** Rows beyond it are not read. */
const MOST_ROWS = 100_000;
/** Where the file says which journal it has: 2 is a log beside it, which nothing in memory has (sqlite.org/fileformat). */
const JOURNAL_BYTES = [18, 19];

/**
 * The packages of rpm's database of today, an SQLite file.
 * @throws Error for a file that is none, or is damaged
 */
export function readRpm(bytes: Buffer): Package[] {
  const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite');
  if (bytes.toString('latin1', 0, 15) !== 'SQLite format 3') throw new Error('is no SQLite file');
  const copy = Buffer.from(bytes);
  for (const at of JOURNAL_BYTES) copy[at] = 1;
  const database = new Database(':memory:');
  try {
    database.deserialize(copy);
    return readRows(database);
  } catch (error) {
    throw new Error(`cannot be read as rpm's database: ${(error as Error).message}`);
  } finally {
    database.close();
  }
}

function readRows(database: DatabaseSync): Package[] {
  const table = database.prepare("SELECT sql FROM sqlite_schema WHERE name = 'Packages'").get();
  if (String(table?.sql).replace(/\s+/g, '') !== SCHEMA)
    throw new Error('it has another table than rpm makes');
  const found: Package[] = [];
  let rows = 0;
  for (const { blob } of database.prepare('SELECT blob FROM Packages').iterate()) {
    rows += 1;
    if (rows > MOST_ROWS) throw new Error(`it has more than ${MOST_ROWS} rows`);
    const one = blob instanceof Uint8Array ? packageOf(blob) : undefined;
    if (one) found.push(one);
  }
  return found;
}

/** Tags of a header (rpmtag.h). */
const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  vendor: 1011,
  url: 1020,
  arch: 1022,
  source: 1044,
};
const INT32 = 4;
const STRINGS: ReadonlySet<number> = new Set([6, 9]);
const ENTRY = 16;

/**
 * A package by its header: two lengths, entries of tag, type, offset and count, and the data (rpm's documentation, "RPM
 * header format"). Undefined for keys, which are kept as packages.
 */
function packageOf(header: Uint8Array): Package | undefined {
  const view = Buffer.from(header.buffer, header.byteOffset, header.length);
  if (view.length < 8) return undefined;
  const data = 8 + view.readUInt32BE(0) * ENTRY;
  const values = new Map<number, string>();
  for (let at = 8; at + ENTRY <= Math.min(data, view.length); at += ENTRY) {
    const tag = view.readUInt32BE(at);
    const type = view.readUInt32BE(at + 4);
    const start = data + view.readUInt32BE(at + 8);
    if (values.has(tag) || start >= view.length) continue;
    if (type === INT32 && start + 4 <= view.length) values.set(tag, String(view.readUInt32BE(start)));
    if (!STRINGS.has(type)) continue;
    const end = view.indexOf(0, start);
    if (end >= 0) values.set(tag, view.toString('utf8', start, end));
  }
  const [name, version] = [oneLine(values.get(TAG.name)), oneLine(values.get(TAG.version))];
  if (name === undefined || version === undefined || name === 'gpg-pubkey') return undefined;
  const release = oneLine(values.get(TAG.release));
  const vendor = values.get(TAG.vendor);
  return {
    ecosystem: 'rpm',
    name,
    version: release === undefined ? version : `${version}-${release}`,
    ...textOf('arch', values.get(TAG.arch)),
    ...textOf('epoch', values.get(TAG.epoch)),
    ...textOf('upstream', values.get(TAG.source)),
    ...textOf('license', values.get(TAG.license)),
    ...textOf('maintainer', vendor),
    ...textOf('homepage', values.get(TAG.url)),
  };
}
