import { posix } from 'node:path';
import { comparePaths } from '../core/path-bytes.ts';
import { opaqueEntry, whiteoutEntry } from '../layer/whiteout.ts';
import { type CompareDeps, createComparison } from './inplace-compare.ts';
import { isDirectory, isSocket, type PathTable, sameInode } from './inplace-table.ts';
import { entryOf, join, leafEntry, readXattrs, type ScannedEntry, statOf } from './snapshot-entry.ts';

export interface Snapshot {
  /** As scanUpper gives them: sorted by path, parents first. */
  readonly entries: ScannedEntry[];
  /** Extended attributes that a layer keeps, by path, of the tree as it is now. */
  readonly xattrs: TreeXattrs;
}

export type TreeXattrs = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

export interface TableScanDeps extends CompareDeps {
  /** See CommitOptions.mtime. */
  readonly mtime: number | undefined;
}

type Change = 'present' | 'deleted';

/**
 * What changed in a tree between two tables, as the layer entries that the overlay back end makes of the same changes:
 * deletions as whiteouts, a directory that was made anew as an opaque one with all that is in it; what has the same facts
 * and content as before is left out, whatever its ctime.
 */
export async function scanTable(before: PathTable, after: PathTable, deps: TableScanDeps): Promise<Snapshot> {
  const comparison = createComparison(before, after, deps);
  const opaque = new Set<string>();
  const changes = new Map<string, Change>();
  let known = 0;
  for (const [path, now] of after) {
    const old = before.get(path);
    if (old) known += 1;
    if (now === old || isSocket(now)) continue;
    if (!old) changes.set(path, 'present');
    else if (isDirectory(now) && isDirectory(old) && !sameInode(now, old)) opaque.add(path);
    else if (comparison.differs(path, now, old)) changes.set(path, 'present');
  }
  addOpaque(after, opaque, changes);
  const gone = known < before.size;
  for (const path of gone ? before.keys() : []) {
    if (after.has(path) || isBelow(path, opaque)) continue;
    const parent = after.get(posix.dirname(path));
    if (!path.includes('/') || (parent && isDirectory(parent))) changes.set(path, 'deleted');
  }
  for (const path of await comparison.undecided()) changes.set(path, 'present');
  const entries = emit(changes, opaque, deps);
  return { entries, xattrs: newXattrs(entries, after, deps.xattrs) };
}

/** All that is in a directory made anew is new; one inside another counts as part of it. */
function addOpaque(after: PathTable, opaque: Set<string>, changes: Map<string, Change>): void {
  if (opaque.size === 0) return;
  for (const path of opaque) changes.set(path, 'present');
  for (const [path, now] of after) if (isBelow(path, opaque) && !isSocket(now)) changes.set(path, 'present');
  for (const path of [...opaque]) if (isBelow(path, opaque)) opaque.delete(path);
}

function isBelow(path: string, directories: ReadonlySet<string>): boolean {
  if (directories.size === 0) return false;
  for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) if (directories.has(at)) return true;
  return false;
}

function emit(
  changes: ReadonlyMap<string, Change>,
  opaque: ReadonlySet<string>,
  deps: TableScanDeps,
): ScannedEntry[] {
  const found: ScannedEntry[] = [];
  const firstNames = new Map<string, string>();
  const children = childrenOf(changes.keys());

  const visit = (path: string): void => {
    if (changes.get(path) === 'deleted') {
      found.push({ entry: whiteoutEntry(path) });
      return;
    }
    const stat = statOf(join(deps.root, path))!;
    const xattrs = readXattrs(deps.syscalls, deps.root, path);
    if (stat.type === 'dir') {
      found.push({ entry: entryOf(deps, path, stat, 'dir', { xattrs }) });
      if (opaque.has(path)) found.push({ entry: opaqueEntry(path) });
      visitAll(path);
      return;
    }
    const first = stat.links > 1 ? firstNames.get(stat.id) : undefined;
    if (first !== undefined) {
      found.push({ entry: entryOf(deps, path, stat, 'hardlink', { linkname: first }) });
      return;
    }
    if (stat.links > 1) firstNames.set(stat.id, path);
    found.push(leafEntry(deps, path, stat, xattrs));
  };
  const visitAll = (directory: string): void => {
    const names = [...(children.get(directory) ?? [])].sort(comparePaths);
    for (const name of names) visit(directory === '' ? name : `${directory}/${name}`);
  };

  visitAll('');
  return found;
}

/** The names to visit in every directory on the way to one of the paths. */
function childrenOf(paths: Iterable<string>): Map<string, Set<string>> {
  const children = new Map<string, Set<string>>();
  for (const path of paths) {
    for (let at = path; at !== ''; ) {
      const slash = at.lastIndexOf('/');
      const parent = slash === -1 ? '' : at.slice(0, slash);
      const names = children.get(parent);
      const name = at.slice(slash + 1);
      if (names?.has(name)) break;
      if (names) names.add(name);
      else children.set(parent, new Set([name]));
      at = parent;
    }
  }
  return children;
}

function newXattrs(entries: readonly ScannedEntry[], after: PathTable, old: TreeXattrs): TreeXattrs {
  const found = new Map([...old].filter(([path]) => after.has(path)));
  for (const { entry } of entries) {
    const { path, type, linkname, xattrs } = entry;
    const value = type === 'hardlink' ? found.get(linkname) : xattrs;
    if (value) found.set(path, value);
    else found.delete(path);
  }
  return found;
}
