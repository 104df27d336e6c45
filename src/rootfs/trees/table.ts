import { lstatSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import {
  FACT_WORDS,
  forEachDirectory,
  forEachName,
  isDirectoryAt,
  type PathFacts,
  rowAt,
  sameWords,
  setTime,
} from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';

/** A directory of a tree at one moment. Only the times of what is in it are ever written again. */
export interface DirectoryTable {
  /** The names in it as the file system listed them, each with a NUL behind it. */
  readonly names: Buffer;
  /** A row of facts for each name. */
  readonly rows: Uint32Array;
  /** The tables of the directories in it, in the order of their names. */
  readonly inside: readonly DirectoryTable[];
}

/** A path in a table. */
export interface TableEntry {
  readonly facts: PathFacts;
  /** What is in it, if it is a directory. */
  readonly inside?: DirectoryTable;
}

/** All directories with nothing in them: there may be a million. */
const EMPTY: DirectoryTable = { names: Buffer.alloc(0), rows: new Uint32Array(0), inside: [] };

/**
 * Looks at every path of a tree that nothing else is changing; the root itself is left out.
 * @param before an earlier table of the tree; a directory in which nothing changed, however deep, is the very same object
 */
export function readTable(
  syscalls: Pick<Syscalls, 'listDirectory'>,
  root: string,
  before?: DirectoryTable,
): DirectoryTable {
  const { names: listed, rows: found } = syscalls.listDirectory(root);
  if (listed.length === 0) return EMPTY;
  const sameNames = before?.names.equals(listed) === true;
  const names = sameNames ? before.names : Buffer.from(listed);
  const sameRows = sameNames && equalWords(before.rows, found);
  const rows = sameRows ? before.rows : found.slice();
  const known = sameNames ? before.inside : undefined;
  const byName = before && !sameNames ? entriesOf(before) : undefined;
  const inside: DirectoryTable[] = [];
  forEachDirectory(names, rows, (name) => {
    const old = known ? known[inside.length] : byName?.get(name)?.inside;
    inside.push(readTable(syscalls, `${root}/${name}`, old));
  });
  if (sameRows && inside.every((table, i) => table === before.inside[i])) return before;
  return { names, rows, inside };
}

/** All entries of a directory by name. */
export function entriesOf(table: DirectoryTable): Map<string, TableEntry> {
  const entries = new Map<string, TableEntry>();
  let directories = 0;
  forEachName(table.names, (name, index) => {
    const facts = rowAt(table.rows, index);
    if (!isDirectoryAt(table.rows, index)) return entries.set(name, { facts });
    entries.set(name, { facts, inside: table.inside[directories]! });
    directories += 1;
  });
  return entries;
}

/** Looks paths of a table up; it must not be read again meanwhile. */
export function createLookup(table: DirectoryTable): (path: string) => TableEntry | undefined {
  const known = new Map<DirectoryTable, ReadonlyMap<string, TableEntry>>();
  return (path) => {
    let at: TableEntry | undefined = { facts: new Uint32Array(0), inside: table };
    for (const name of path.split('/')) {
      if (!at?.inside) return undefined;
      let entries = known.get(at.inside);
      if (!entries) {
        entries = entriesOf(at.inside);
        known.set(at.inside, entries);
      }
      at = entries.get(name);
    }
    return at;
  };
}

/** Looks at the times of some paths again, of which only the times have changed since the table was read. */
export function readTimes(table: DirectoryTable, root: string, paths: readonly string[]): void {
  const find = createLookup(table);
  for (const path of paths) {
    const { mtimeNs, ctimeNs } = lstatSync(fsPath(`${root}/${path}`), { bigint: true });
    const { facts } = find(path)!;
    setTime(facts, 'mtime', mtimeNs);
    setTime(facts, 'ctime', ctimeNs);
  }
}

/**
 * Finds the entries of a directory that are not the same in two tables: those with other facts, and the directories in which
 * anything differs, however deep.
 */
export function forEachDifference(
  before: DirectoryTable,
  after: DirectoryTable,
  visit: (name: string, now: TableEntry | undefined, old: TableEntry | undefined) => void,
): void {
  if (before === after) return;
  const old = entriesOf(before);
  for (const [name, now] of entriesOf(after)) {
    const was = old.get(name);
    old.delete(name);
    if (!was || was.inside !== now.inside || !sameWords(was.facts, now.facts, 0, FACT_WORDS))
      visit(name, now, was);
  }
  for (const [name, was] of old) visit(name, undefined, was);
}

function equalWords(a: Uint32Array, b: Uint32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}

/**
 * Waits until the clock that files get their times from has moved on, so that whatever changes from now on has a ctime that
 * no table so far holds.
 * @param file is written, on the file system of the tree
 * @returns that file's ctime: everything that changes later has a greater one
 */
export function waitForTick(file: string): bigint {
  const changeTime = (): bigint => statSync(file, { bigint: true }).ctimeNs;
  writeFileSync(file, '');
  const start = changeTime();
  // A clock that is set back stands still for longer than anybody would wait; inode, size and mode must do then.
  for (const end = performance.now() + 1000; performance.now() < end; ) {
    utimesSync(file, 0, 0);
    if (changeTime() > start) return changeTime();
  }
  return start;
}
