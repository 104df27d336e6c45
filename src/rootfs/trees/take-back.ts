import { lstatSync, mkdirSync, renameSync } from 'node:fs';
import { posix } from 'node:path';
import { fsPath } from '../../core/path-bytes.ts';
import { splitTime } from '../../sys/file-stat.ts';
import {
  FACT,
  FACT_WORDS,
  isSymlink,
  type PathFacts,
  sameInode,
  sameWords,
  timeOf,
} from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';
import { join, readXattrs, sameXattrs, type TreeXattrs } from '../snapshot/entry.ts';
import { type DirectoryTable, forEachDifference, readTable } from './table.ts';

/** A tree as it was once. */
export interface Moment {
  readonly table: DirectoryTable;
  readonly xattrs: TreeXattrs;
}

export interface TakeBackDeps {
  readonly syscalls: Pick<Syscalls, 'listDirectory' | 'listXattrs' | 'getXattr' | 'lutimes'>;
}

/** What has become of a tree since a moment, where it has only got new paths. */
interface Growth {
  /** The topmost new paths. */
  readonly added: readonly string[];
  /** The old mtimes, in nanoseconds, of directories that have been written to. */
  readonly times: ReadonlyMap<string, bigint>;
  /** Whether any of these has another mtime now. */
  readonly otherTimes: boolean;
}

/**
 * Makes a tree what it was at a moment, where all that has happened since are new paths: those are moved into another
 * directory, and the times of the directories that they were in are set back. No file that was there has been written, linked
 * or replaced since: its ctime says so.
 *
 * @param tree host path
 * @param is its table now
 * @param aside host path of an empty directory on the same file system, which gets the new paths under their names
 * @returns the new paths and the table that the tree has now; undefined where more has changed, and nothing was touched
 * @throws Error when it breaks off, or the tree is not what it should be afterwards: then neither of the two is of any use
 */
export function takeBack(
  tree: string,
  was: Moment,
  is: DirectoryTable,
  aside: string,
  { syscalls }: TakeBackDeps,
): { readonly added: readonly string[]; readonly table: DirectoryTable } | undefined {
  const growth = growthSince(tree, was, is, syscalls);
  if (!growth) return undefined;
  for (const path of growth.added) {
    mkdirSync(fsPath(join(aside, posix.dirname(path))), { recursive: true });
    renameSync(fsPath(join(tree, path)), fsPath(join(aside, path)));
  }
  for (const [path, mtime] of growth.times) {
    const { seconds, nanoseconds } = splitTime(mtime);
    syscalls.lutimes(join(tree, path), Number(seconds), Number(nanoseconds));
  }
  const table = readTable(syscalls, tree, was.table);
  const left = growthSince(tree, was, table, syscalls);
  if (left?.added.length !== 0 || left.otherTimes) throw new Error('the tree is not what it was');
  return { added: growth.added, table };
}

/** Undefined where a path that was there is gone, or another one, or may hold something else. */
function growthSince(
  tree: string,
  was: Moment,
  is: DirectoryTable,
  syscalls: TakeBackDeps['syscalls'],
): Growth | undefined {
  const added: string[] = [];
  const times = new Map<string, bigint>();
  let [isMore, otherTimes] = [false, false];
  const sameAttributes = (path: string): boolean =>
    !syscalls.listXattrs(join(tree, path)).some((name) => name.startsWith('system.')) &&
    sameXattrs(readXattrs(syscalls, tree, path), was.xattrs.get(path) ?? new Map());
  const compare = (prefix: string, before: DirectoryTable, after: DirectoryTable): void =>
    forEachDifference(before, after, (name, now, old) => {
      if (isMore) return;
      const path = prefix + name;
      if (now && !old) return void added.push(path);
      // What is moved into the root for a RUN and out of it has another ctime.
      const isSame = now && old && isSameButTimes(now.facts, old.facts) && sameAttributes(path);
      if (isSame && now.inside && old.inside) {
        const mtime = timeOf(old.facts, 'mtime');
        times.set(path, mtime);
        otherTimes ||= mtime !== timeOf(now.facts, 'mtime');
        compare(`${path}/`, old.inside, now.inside);
      } else if (!isSame || !isSymlink(now.facts) || !sameWords(now.facts, old.facts, 0, FACT.ctime))
        isMore = true;
    });
  compare('', was.table, is);
  return isMore ? undefined : { added, times, otherTimes };
}

/** Of directories the number of names and the size come and go with what is in them. */
function isSameButTimes(a: PathFacts, b: PathFacts): boolean {
  return (
    sameInode(a, b) &&
    sameWords(a, b, FACT.mode, 1) &&
    sameWords(a, b, FACT.uid, 2) &&
    sameWords(a, b, FACT.birth, FACT_WORDS - FACT.birth)
  );
}

/**
 * Whether paths, as a COPY names them, lie wholly in what was moved aside, so that nothing else is needed to read them: no
 * patterns, no symlinks on the way.
 */
export function liesAside(aside: string, added: readonly string[], paths: readonly string[]): boolean {
  return paths.every((given) => {
    const path = posix.normalize(`/${given}`).replace(/^\/|\/$/g, '');
    if (/[*?[\\]/.test(path) || !added.some((root) => path === root || path.startsWith(`${root}/`)))
      return false;
    const parts = path.split('/');
    return parts.every((_, at) => {
      const there = lstatSync(fsPath(join(aside, parts.slice(0, at + 1).join('/'))), {
        throwIfNoEntry: false,
      });
      return (
        there !== undefined && !there.isSymbolicLink() && (at === parts.length - 1 || there.isDirectory())
      );
    });
  });
}
