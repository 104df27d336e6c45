import { DatabaseSync } from 'node:sqlite';

/* Databases of packages for tests; no part of the product. */

/** An SQLite file with what these statements make; `rows` go into the blobs of the table that rpm makes. */
export function sqliteFile(statements: string, rows: readonly Buffer[] = []): Buffer {
  const database = new DatabaseSync(':memory:');
  try {
    database.exec(statements);
    for (const row of rows) database.prepare('INSERT INTO Packages (blob) VALUES (?)').run(row);
    const file = Buffer.from(database.serialize());
    // As rpm has it.
    file[18] = 2;
    file[19] = 2;
    return file;
  } finally {
    database.close();
  }
}

/** As rpm makes its table. */
export const RPM_TABLE =
  "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";

/** A header of rpm's with these values by their tags: texts, and numbers. */
export function rpmHeader(values: Readonly<Record<number, string | number>>): Buffer {
  const entries: Buffer[] = [];
  const data: Buffer[] = [];
  let at = 0;
  for (const [tag, value] of Object.entries(values)) {
    const number = Buffer.alloc(4);
    if (typeof value === 'number') number.writeUInt32BE(value);
    const bytes = typeof value === 'number' ? number : Buffer.from(`${value}\0`);
    const entry = Buffer.alloc(16);
    entry.writeUInt32BE(Number(tag), 0);
    entry.writeUInt32BE(typeof value === 'number' ? 4 : 6, 4);
    entry.writeUInt32BE(at, 8);
    entry.writeUInt32BE(1, 12);
    entries.push(entry);
    data.push(bytes);
    at += bytes.length;
  }
  const head = Buffer.alloc(8);
  head.writeUInt32BE(entries.length, 0);
  head.writeUInt32BE(at, 4);
  return Buffer.concat([head, ...entries, ...data]);
}
