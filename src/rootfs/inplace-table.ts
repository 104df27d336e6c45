import { lstatSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { listNames } from '../core/list-names.ts';
import { fsPath } from '../core/path-bytes.ts';

/** What tells whether a path changed. Times are milliseconds with fractions. */
export interface PathFacts {
  /** st_mode: type and permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly ino: number;
  readonly nlink: number;
  readonly rdev: number;
  readonly mtimeMs: number;
  readonly birthtimeMs: number;
  /** Written anew when a path is only moved by ourselves. */
  ctimeMs: number;
}

/** A tree at one moment, by path relative to it; the root itself is left out. */
export type PathTable = Map<string, PathFacts>;

const S_IFMT = 0o170000;
const [S_IFDIR, S_IFSOCK] = [0o040000, 0o140000];

/** Whether facts are of a directory. */
export function isDirectory({ mode }: PathFacts): boolean {
  return (mode & S_IFMT) === S_IFDIR;
}

/** Whether facts are of a socket, which no layer holds. */
export function isSocket({ mode }: PathFacts): boolean {
  return (mode & S_IFMT) === S_IFSOCK;
}

/** Whether both are files, both directories, and so on. */
export function sameType(a: PathFacts, b: PathFacts): boolean {
  return (a.mode & S_IFMT) === (b.mode & S_IFMT);
}

/** The same file and not a later one: inode numbers are used again, times of birth are not. */
export function sameInode(a: PathFacts, b: PathFacts): boolean {
  return a.ino === b.ino && a.birthtimeMs === b.birthtimeMs;
}

function factsOf(path: string, known: PathFacts | undefined): PathFacts {
  const { mode, uid, gid, size, ino, nlink, rdev, mtimeMs, birthtimeMs, ctimeMs } = lstatSync(fsPath(path));
  // Whatever changes the rest changes the ctime too.
  if (
    known?.ctimeMs === ctimeMs &&
    known.ino === ino &&
    known.mode === mode &&
    known.size === size &&
    known.mtimeMs === mtimeMs &&
    known.birthtimeMs === birthtimeMs
  )
    return known;
  return { mode, uid, gid, size, ino, nlink, rdev, mtimeMs, birthtimeMs, ctimeMs };
}

/**
 * Looks at every path of a tree that nothing else is changing.
 * @param before an earlier table of the tree; what did not change is the very same object in both
 */
export function readTable(root: string, before?: PathTable): PathTable {
  const table: PathTable = new Map();
  const walk = (directory: string, prefix: string): void => {
    for (const name of listNames(directory)) {
      const [host, path] = [`${directory}/${name}`, prefix + name];
      const facts = factsOf(host, before?.get(path));
      table.set(path, facts);
      if (isDirectory(facts)) walk(host, `${path}/`);
    }
  };
  walk(root, '');
  return table;
}

/**
 * Waits until the clock that files get their times from has moved on, so that whatever changes from now on has a ctime that
 * no table so far holds.
 * @param file is written, on the file system of the tree
 * @returns that file's ctime: everything that changes later has a greater one
 */
export function waitForTick(file: string): number {
  writeFileSync(file, '');
  const start = statSync(file).ctimeMs;
  // A clock that is set back stands still for longer than anybody would wait; inode, size and mode must do then.
  for (const end = performance.now() + 1000; performance.now() < end; ) {
    utimesSync(file, 0, 0);
    const now = statSync(file).ctimeMs;
    if (now > start) return now;
  }
  return start;
}
