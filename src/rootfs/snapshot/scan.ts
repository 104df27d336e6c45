import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { fsPath } from '../../core/path-bytes.ts';
import { createTocEntries } from '../../layer/toc-entries.ts';
import { opaqueEntry, whiteoutEntry } from '../../layer/whiteout.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { LayerEntry } from '../../tar/types.ts';
import {
  createLeafEntries,
  entryOf,
  join,
  type LeftOutTime,
  names,
  OVERLAY_XATTRS,
  readXattrs,
  type Scanned,
  type Stat,
  sameMeta,
  sameXattrs,
  statOf,
  staysSame,
} from './entry.ts';

export interface ScanDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
  /** The upper directory of an overlay mount that is unmounted. */
  readonly upper: string;
  /** What lay below it, as a tree that can be read. */
  readonly lower: string;
  /** See CommitOptions.mtime. */
  readonly mtime: number | undefined;
}

/**
 * What an overlay's upper directory changes, as layer entries sorted by path with parents first: deletions as whiteouts,
 * replaced directories as opaque ones. What the kernel copied up without a change is left out, and so are directories of
 * which only the time is new, and the root itself, of which no engine takes anything; sockets never enter a layer.
 */
export function scanUpper(deps: ScanDeps): Scanned {
  const entries = createTocEntries();
  /** Directories on the way that are entries only where something in them is one. */
  const above: LayerEntry[] = [];
  const leftOut: LeftOutTime[] = [];
  const leafEntry = createLeafEntries({ ...deps, root: deps.upper });

  const add = (entry: LayerEntry): void => {
    for (const directory of above.splice(0)) entries.add(directory);
    entries.add(entry);
  };

  const visitDir = (path: string, stat: Stat, lower: Stat | undefined): void => {
    const xattrs = readXattrs(deps.syscalls, deps.upper, path);
    const opaque = lower?.type === 'dir' && path !== '' && isOpaque(deps, path);
    const changed =
      lower?.type !== 'dir' ||
      opaque ||
      !sameMeta(stat, lower) ||
      !sameXattrs(xattrs, readXattrs(deps.syscalls, deps.lower, path));
    const entry = entryOf(deps, path, stat, 'dir', { xattrs });
    if (path !== '' && changed) add(entry);
    else if (path !== '') above.push(entry);
    if (opaque) add(opaqueEntry(path));
    const before = entries.count;
    for (const name of names(join(deps.upper, path)))
      visit(path === '' ? name : `${path}/${name}`, lower?.type === 'dir' && !opaque);
    if (path === '' || changed || entries.count > before) return;
    above.pop();
    if (stat.mtimeNs !== lower.mtimeNs) leftOut.push({ path, mtimeNs: lower.mtimeNs });
  };

  const visit = (path: string, lowerIsDir: boolean): void => {
    const stat = statOf(join(deps.upper, path))!;
    if (stat.type === 'socket') return;
    if (stat.type === 'char' && stat.rdev === 0n) return add(whiteoutEntry(path));
    const lower = lowerIsDir ? statOf(join(deps.lower, path)) : undefined;
    if (stat.type === 'dir') return visitDir(path, stat, lower);
    visitFile(path, stat, lower);
  };

  const visitFile = (path: string, stat: Stat, lower: Stat | undefined): void => {
    const xattrs = readXattrs(deps.syscalls, deps.upper, path);
    if (lower && unchanged(deps, path, stat, lower, xattrs)) {
      if (stat.mtimeNs !== lower.mtimeNs) leftOut.push({ path, mtimeNs: lower.mtimeNs });
      return;
    }
    add(leafEntry(path, stat, xattrs));
  };

  const root = statOf(deps.upper)!;
  visitDir('', root, statOf(deps.lower));
  return { root: deps.upper, entries, leftOut };
}

/** Whether a file was copied up, but is what it was: the same facts, and where times agree the same bytes. */
function unchanged(
  deps: ScanDeps,
  path: string,
  stat: Stat,
  lower: Stat,
  xattrs: ReadonlyMap<string, Buffer>,
): boolean {
  if (stat.type !== lower.type || !sameMeta(stat, lower) || stat.size !== lower.size) return false;
  if (!staysSame(stat.mtimeNs, lower.mtimeNs, deps.mtime)) return false;
  if (stat.rdev !== lower.rdev || stat.links > 1) return false;
  if (!sameXattrs(xattrs, readXattrs(deps.syscalls, deps.lower, path))) return false;
  const [a, b] = [join(deps.upper, path), join(deps.lower, path)];
  if (stat.type === 'symlink') return readlinkSync(fsPath(a)) === readlinkSync(fsPath(b));
  return stat.type !== 'file' || sameContent(a, b);
}

function sameContent(a: string, b: string): boolean {
  const [first, second] = [openSync(fsPath(a), 'r'), openSync(fsPath(b), 'r')];
  try {
    const [x, y] = [Buffer.allocUnsafe(1 << 20), Buffer.allocUnsafe(1 << 20)];
    for (;;) {
      const [n, m] = [readSync(first, x), readSync(second, y)];
      if (n !== m || !x.subarray(0, n).equals(y.subarray(0, m))) return false;
      if (n === 0) return true;
    }
  } finally {
    closeSync(first);
    closeSync(second);
  }
}

function isOpaque({ syscalls, upper }: ScanDeps, path: string): boolean {
  return syscalls.getXattr(join(upper, path), `${OVERLAY_XATTRS}opaque`)?.toString() === 'y';
}
