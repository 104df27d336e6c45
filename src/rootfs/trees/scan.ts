import { comparePaths } from '../../core/path-bytes.ts';
import { createTocEntries } from '../../layer/toc-entries.ts';
import { opaqueEntry, whiteoutEntry } from '../../layer/whiteout.ts';
import { isSocket, sameInode, timeOf } from '../../sys/path-facts.ts';
import {
  createLeafEntries,
  entryOf,
  join,
  readXattrs,
  type Scanned,
  type ScannedEntries,
  statOf,
  type TreeXattrs,
} from '../snapshot/entry.ts';
import { type CompareDeps, createComparison } from './compare.ts';
import { createLookup, type DirectoryTable, entriesOf, forEachDifference, type TableEntry } from './table.ts';

/** As scanUpper gives it. */
export interface Snapshot extends Scanned {
  /** Extended attributes that a layer keeps, by path, of the tree as it is now. */
  readonly xattrs: TreeXattrs;
}

type Change = 'present' | 'deleted';

/**
 * What changed in a tree between two tables, as the layer entries that the overlay back end makes of the same changes:
 * deletions as whiteouts, a directory that was made anew as an opaque one with all that is in it; what has the same facts
 * and content as before is left out, whatever its ctime.
 */
export async function scanTable(
  before: DirectoryTable,
  after: DirectoryTable,
  deps: CompareDeps,
): Promise<Snapshot> {
  const comparison = createComparison(before, after, deps);
  const opaque = new Set<string>();
  const changes = new Map<string, Change>();
  const times = new Map<string, bigint>();

  const addAll = (path: string, { facts, inside }: TableEntry): void => {
    if (isSocket(facts)) return;
    changes.set(path, 'present');
    if (inside) for (const [name, entry] of entriesOf(inside)) addAll(`${path}/${name}`, entry);
  };
  const compare = (prefix: string, was: DirectoryTable, is: DirectoryTable): void =>
    forEachDifference(was, is, (name, now, old) => {
      const path = prefix + name;
      if (!now) changes.set(path, 'deleted');
      else if (!old) addAll(path, now);
      else if (now.inside && old.inside && !sameInode(now.facts, old.facts)) {
        opaque.add(path);
        addAll(path, now);
      } else if (now.inside && !old.inside) addAll(path, now);
      else if (!isSocket(now.facts)) {
        if (comparison.differs(path, now.facts, old.facts)) changes.set(path, 'present');
        else if (timeOf(now.facts, 'mtime') !== timeOf(old.facts, 'mtime'))
          times.set(path, timeOf(old.facts, 'mtime'));
        if (now.inside && old.inside) compare(`${path}/`, old.inside, now.inside);
      }
    });

  compare('', before, after);
  for (const path of await comparison.undecided()) changes.set(path, 'present');
  const entries = emit(changes, opaque, deps);
  if (times.size > 0) for (let at = 0; at < entries.count; at += 1) times.delete(entries.get(at).path);
  const leftOut = [...times].map(([path, mtimeNs]) => ({ path, mtimeNs }));
  return { root: deps.root, entries, leftOut, xattrs: newXattrs(entries, after, deps.xattrs) };
}

function emit(
  changes: ReadonlyMap<string, Change>,
  opaque: ReadonlySet<string>,
  deps: CompareDeps,
): ScannedEntries {
  const found = createTocEntries();
  const leafEntry = createLeafEntries(deps);
  const children = childrenOf(changes.keys());

  const visit = (path: string): void => {
    if (changes.get(path) === 'deleted') return found.add(whiteoutEntry(path));
    const stat = statOf(join(deps.root, path))!;
    const xattrs = readXattrs(deps.syscalls, deps.root, path);
    if (stat.type === 'dir') {
      found.add(entryOf(deps, path, stat, 'dir', { xattrs }));
      if (opaque.has(path)) found.add(opaqueEntry(path));
      return visitAll(path);
    }
    found.add(leafEntry(path, stat, xattrs));
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

function newXattrs(entries: ScannedEntries, after: DirectoryTable, old: TreeXattrs): TreeXattrs {
  const lookup = createLookup(after);
  const found = new Map([...old].filter(([path]) => lookup(path)));
  for (let index = 0; index < entries.count; index += 1) {
    const { path, type, linkname, xattrs } = entries.get(index);
    const value = type === 'hardlink' ? found.get(linkname) : xattrs;
    if (value) found.set(path, value);
    else found.delete(path);
  }
  return found;
}
