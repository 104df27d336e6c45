import { closeSync, fchmodSync, fstatSync, futimesSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createEntry, lstatEntry, mkdirEntry, readlinkEntry, symlinkEntry } from './entry.ts';
import { atPlain, namesPlain, openPlainDirectory, openPlainFile } from './plain.ts';

const CHUNK = 1024 * 1024;

/**
 * Copies an entry with all in it to a place where nothing is: content, modes, times and the texts of links. Names are bytes,
 * of which node:fs's own function for it knows only those that are UTF-8.
 * @throws Error as the functions of plain.ts; ENOTREG for what is neither a file, a directory nor a link
 */
export function copyPlain(from: string, to: string): void {
  const stat = atPlain(from, lstatEntry);
  if (stat?.isSymbolicLink()) {
    const text = atPlain(from, readlinkEntry);
    return atPlain(to, (entry) => symlinkEntry(text, entry));
  }
  if (!stat?.isDirectory()) return copyFile(from, to);
  atPlain(to, (entry) => mkdirEntry(entry, 0o700));
  for (const name of namesPlain(from)) copyPlain(join(from, name), join(to, name));
  const made = openPlainDirectory(to);
  try {
    fchmodSync(made, Number(stat.mode) & 0o7777);
    futimesSync(made, Number(stat.atimeNs) / 1e9, Number(stat.mtimeNs) / 1e9);
  } finally {
    closeSync(made);
  }
}

function copyFile(from: string, to: string): void {
  const source = openPlainFile(from);
  try {
    const { mode, atimeMs, mtimeMs } = fstatSync(source);
    const target = atPlain(to, (entry) => createEntry(entry));
    try {
      const bytes = Buffer.allocUnsafe(CHUNK);
      for (let read = readSync(source, bytes); read > 0; read = readSync(source, bytes))
        for (let done = 0; done < read; ) done += writeSync(target, bytes, done, read - done);
      fchmodSync(target, mode & 0o7777);
      futimesSync(target, atimeMs / 1000, mtimeMs / 1000);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}
