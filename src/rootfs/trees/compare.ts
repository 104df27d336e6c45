import { createHash } from 'node:crypto';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { decodePath, fsPath } from '../../core/path-bytes.ts';
import {
  FACT,
  inodeOf,
  isDirectory,
  isFile,
  isSymlink,
  type PathFacts,
  sameInode,
  sameWords,
  sizeOf,
  timeOf,
} from '../../sys/path-facts.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { TreeXattrs } from '../snapshot/entry.ts';
import { join, readXattrs, sameXattrs, staysSame } from '../snapshot/entry.ts';
import type { PreviousContent } from './previous.ts';
import { createLookup, type DirectoryTable, entriesOf } from './table.ts';

export interface CompareDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
  /** Host path of the tree. */
  readonly root: string;
  /** See CommitOptions.mtime. */
  readonly mtime: number | undefined;
  /** What the tree's attributes were before. */
  readonly xattrs: TreeXattrs;
  /** Content of paths before the step, for those whose facts alone do not tell; sizes by path. */
  readonly previous: (wanted: ReadonlyMap<string, number>) => Promise<Map<string, PreviousContent>>;
}

/** Tells changed paths from those that were only touched. */
export interface Comparison {
  /** Whether a path surely differs from what it was; one whose content has to be looked at is taken note of. */
  differs(path: string, now: PathFacts, old: PathFacts): boolean;
  /** Looks at the content of those; the paths that differ. */
  undecided(): Promise<string[]>;
}

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();
/** Words of a time. */
const TIME = 3;

/**
 * Compares a tree with what it was. A path counts as unchanged when type, owner, mode, size, mtime, attributes and content are
 * the same, and a file has no new name; the layers below are read only for paths of which everything but the content is known
 * to be the same.
 */
export function createComparison(
  before: DirectoryTable,
  after: DirectoryTable,
  deps: CompareDeps,
): Comparison {
  const doubtful = new Map<string, PathFacts>();
  const was = createLookup(before);
  let groups: Map<string, string[]> | undefined;
  const sameAttributes = (path: string): boolean =>
    sameXattrs(readXattrs(deps.syscalls, deps.root, path), deps.xattrs.get(path) ?? NO_XATTRS);

  /** Whether a file has a name that it did not have before. */
  const gotName = (now: PathFacts): boolean => {
    groups ??= hardLinks(after);
    const inode = inodeOf(now);
    return (groups.get(inode) ?? []).some((path) => {
      const old = was(path);
      return !old || inodeOf(old.facts) !== inode;
    });
  };

  return {
    differs: (path, now, old) => {
      if (!sameWords(now, old, FACT.mode, 1) || !sameWords(now, old, FACT.uid, 2)) return true;
      if (isDirectory(now)) return !sameWords(now, old, FACT.ctime, TIME) && !sameAttributes(path);
      if (sizeOf(now) !== sizeOf(old)) return true;
      if (!staysSame(timeOf(now, 'mtime'), timeOf(old, 'mtime'), deps.mtime)) return true;
      if (!sameWords(now, old, FACT.rdev, 1) || !sameAttributes(path)) return true;
      if (now[FACT.nlink]! > 1 && gotName(now)) return true;
      const hasContent = (isFile(now) && sizeOf(now) > 0) || (isSymlink(now) && !sameInode(now, old));
      if (hasContent) doubtful.set(path, now);
      return false;
    },
    undecided: async () => {
      if (doubtful.size === 0) return [];
      const sizes = [...doubtful].map(([path, facts]) => [path, sizeOf(facts)] as const);
      const previous = await deps.previous(new Map(sizes));
      const different = [...doubtful].filter(([path, facts]) => {
        const host = join(deps.root, path);
        const { sha256, linkname } = previous.get(path) ?? {};
        if (isSymlink(facts))
          return linkname !== decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' }));
        return sha256 === undefined || sha256 !== hashFile(host);
      });
      return different.map(([path]) => path);
    },
  };
}

/** The paths of every file that has several names, by inode. */
function hardLinks(table: DirectoryTable): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  const visit = (prefix: string, directory: DirectoryTable): void => {
    for (const [name, { facts, inside }] of entriesOf(directory)) {
      const path = prefix + name;
      if (inside) visit(`${path}/`, inside);
      else if (facts[FACT.nlink]! > 1 && isFile(facts)) {
        const group = groups.get(inodeOf(facts));
        if (group) group.push(path);
        else groups.set(inodeOf(facts), [path]);
      }
    }
  };
  visit('', table);
  return groups;
}

function hashFile(path: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 20);
  const fd = openSync(fsPath(path), 'r');
  try {
    for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
      hash.update(buffer.subarray(0, count));
    return hash.digest('hex');
  } finally {
    closeSync(fd);
  }
}
