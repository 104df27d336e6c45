import { createHash } from 'node:crypto';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { decodePath, fsPath } from '../core/path-bytes.ts';
import type { Syscalls } from '../sys/types.ts';
import type { PreviousContent } from './inplace-previous.ts';
import type { TreeXattrs } from './inplace-scan.ts';
import { isDirectory, type PathFacts, type PathTable, sameInode, sameType } from './inplace-table.ts';
import { join, readXattrs, sameXattrs } from './snapshot-entry.ts';

export interface CompareDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
  /** Host path of the tree. */
  readonly root: string;
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
const S_IFMT = 0o170000;
const [S_IFREG, S_IFLNK] = [0o100000, 0o120000];

/**
 * Compares a tree with what it was. A path counts as unchanged when type, owner, mode, size, mtime, attributes and content are
 * the same, and a file has no new name; the layers below are read only for paths of which everything but the content is known
 * to be the same.
 */
export function createComparison(before: PathTable, after: PathTable, deps: CompareDeps): Comparison {
  const doubtful: string[] = [];
  let groups: Map<number, string[]> | undefined;
  const sameAttributes = (path: string): boolean =>
    sameXattrs(readXattrs(deps.syscalls, deps.root, path), deps.xattrs.get(path) ?? NO_XATTRS);

  /** Whether a file has a name that it did not have before. */
  const gotName = (now: PathFacts): boolean => {
    groups ??= hardLinks(after);
    return (groups.get(now.ino) ?? []).some((path) => before.get(path)?.ino !== now.ino);
  };

  return {
    differs: (path, now, old) => {
      if (!sameType(now, old) || now.mode !== old.mode || now.uid !== old.uid || now.gid !== old.gid)
        return true;
      if (isDirectory(now)) return now.ctimeMs !== old.ctimeMs && !sameAttributes(path);
      if (now.size !== old.size || now.mtimeMs !== old.mtimeMs || now.rdev !== old.rdev) return true;
      if (!sameAttributes(path) || (now.nlink > 1 && gotName(now))) return true;
      const type = now.mode & S_IFMT;
      const hasContent = (type === S_IFREG && now.size > 0) || (type === S_IFLNK && !sameInode(now, old));
      if (hasContent) doubtful.push(path);
      return false;
    },
    undecided: async () => {
      if (doubtful.length === 0) return [];
      const previous = await deps.previous(new Map(doubtful.map((path) => [path, after.get(path)!.size])));
      return doubtful.filter((path) => {
        const host = join(deps.root, path);
        const { sha256, linkname } = previous.get(path) ?? {};
        if ((after.get(path)!.mode & S_IFMT) === S_IFLNK)
          return linkname !== decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' }));
        return sha256 === undefined || sha256 !== hashFile(host);
      });
    },
  };
}

function hardLinks(table: PathTable): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const [path, { ino, nlink, mode }] of table) {
    if (nlink < 2 || (mode & S_IFMT) !== S_IFREG) continue;
    const group = groups.get(ino);
    if (group) group.push(path);
    else groups.set(ino, [path]);
  }
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
