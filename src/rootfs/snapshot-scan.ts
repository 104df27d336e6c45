import {
  type BigIntStats,
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { comparePaths, decodePath, fsPath } from '../core/path-bytes.ts';
import type { EntryType, LayerEntry } from '../layer/types.ts';
import { opaqueEntry, whiteoutEntry } from '../layer/whiteout.ts';
import type { Syscalls } from '../sys/types.ts';

/** An entry of a layer to be, and where its content is read. */
export interface ScannedEntry {
  readonly entry: LayerEntry;
  /** Host path of a file with content. */
  readonly file?: string;
}

export interface ScanDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
  /** The upper directory of an overlay mount that is unmounted. */
  readonly upper: string;
  /** What lay below it, as a tree that can be read. */
  readonly lower: string;
  /** See CommitOptions.mtime. */
  readonly mtime: number | undefined;
}

interface Stat {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly rdev: bigint;
  readonly type: EntryType | 'socket';
  readonly links: number;
  readonly id: string;
}

/**
 * What an overlay's upper directory changes, as layer entries sorted by path with parents first: deletions as whiteouts,
 * replaced directories as opaque ones. What the kernel copied up without a change is left out, and so are directories of
 * which only the time is new, and the root itself, of which no engine takes anything; sockets never enter a layer.
 */
export function scanUpper(deps: ScanDeps): ScannedEntry[] {
  const found: ScannedEntry[] = [];
  const firstNames = new Map<string, string>();

  const visitDir = (path: string, stat: Stat, lower: Stat | undefined): void => {
    const xattrs = readXattrs(deps, deps.upper, path);
    const opaque = lower?.type === 'dir' && path !== '' && isOpaque(deps, path);
    const changed =
      lower?.type !== 'dir' ||
      opaque ||
      !sameMeta(stat, lower) ||
      !sameXattrs(xattrs, readXattrs(deps, deps.lower, path));
    const at = found.length;
    found.push({ entry: entryOf(deps, path, stat, 'dir', { xattrs }) });
    if (opaque) found.push({ entry: opaqueEntry(path) });
    const before = found.length;
    for (const name of names(join(deps.upper, path)))
      visit(path === '' ? name : `${path}/${name}`, lower?.type === 'dir' && !opaque);
    const empty = found.length === before;
    if (path === '' || (empty && !changed)) found.splice(at, 1);
  };

  const visit = (path: string, lowerIsDir: boolean): void => {
    const stat = statOf(join(deps.upper, path))!;
    if (stat.type === 'socket') return;
    if (stat.type === 'char' && stat.rdev === 0n) {
      found.push({ entry: whiteoutEntry(path) });
      return;
    }
    const lower = lowerIsDir ? statOf(join(deps.lower, path)) : undefined;
    if (stat.type === 'dir') return visitDir(path, stat, lower);
    visitFile(path, stat, lower);
  };

  const visitFile = (path: string, stat: Stat, lower: Stat | undefined): void => {
    const xattrs = readXattrs(deps, deps.upper, path);
    if (lower && unchanged(deps, path, stat, lower, xattrs)) return;
    const first = stat.links > 1 ? firstNames.get(stat.id) : undefined;
    if (first !== undefined) {
      found.push({ entry: entryOf(deps, path, stat, 'hardlink', { linkname: first }) });
      return;
    }
    if (stat.links > 1) firstNames.set(stat.id, path);
    const host = join(deps.upper, path);
    const linkname =
      stat.type === 'symlink' ? decodePath(readlinkSync(fsPath(host), { encoding: 'buffer' })) : '';
    const entry = entryOf(deps, path, stat, stat.type as EntryType, { linkname, xattrs });
    found.push(entry.size > 0 ? { entry, file: host } : { entry });
  };

  const root = statOf(deps.upper)!;
  visitDir('', root, statOf(deps.lower));
  return found;
}

function entryOf(
  deps: ScanDeps,
  path: string,
  stat: Stat,
  type: EntryType,
  more: { readonly linkname?: string; readonly xattrs?: ReadonlyMap<string, Buffer> },
): LayerEntry {
  const device = type === 'char' || type === 'block';
  const xattrs = type === 'hardlink' ? undefined : more.xattrs;
  return {
    path,
    type,
    mode: stat.mode,
    uid: stat.uid,
    gid: stat.gid,
    size: type === 'file' ? stat.size : 0,
    mtime: deps.mtime ?? Number(stat.mtimeNs / 1_000_000_000n),
    mtimeNsec: 0,
    linkname: more.linkname ?? '',
    devmajor: device ? Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn)) : 0,
    devminor: device ? Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xffffff00n)) : 0,
    ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
  };
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
  if (stat.mtimeNs !== lower.mtimeNs || stat.rdev !== lower.rdev || stat.links > 1) return false;
  if (!sameXattrs(xattrs, readXattrs(deps, deps.lower, path))) return false;
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

function sameMeta(a: Stat, b: Stat): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

function isOpaque({ syscalls, upper }: ScanDeps, path: string): boolean {
  return syscalls.getXattr(join(upper, path), 'trusted.overlay.opaque')?.toString() === 'y';
}

/** The attributes that belong to a layer: capabilities and the user's own. */
function readXattrs({ syscalls }: ScanDeps, root: string, path: string): ReadonlyMap<string, Buffer> {
  const host = join(root, path);
  const kept = syscalls
    .listXattrs(host)
    .filter((name) => name === 'security.capability' || name.startsWith('user.'));
  const pairs = kept.sort().map((name) => [name, syscalls.getXattr(host, name)] as const);
  return new Map(pairs.filter((pair): pair is readonly [string, Buffer] => pair[1] !== undefined));
}

function sameXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value));
}

function names(dir: string): string[] {
  return readdirSync(fsPath(dir), { encoding: 'buffer' })
    .map((name) => decodePath(name))
    .sort(comparePaths);
}

function statOf(path: string): Stat | undefined {
  const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  if (!stat) return undefined;
  return {
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    rdev: stat.rdev,
    type: typeOf(stat),
    links: Number(stat.nlink),
    id: `${stat.dev}:${stat.ino}`,
  };
}

function typeOf(stat: BigIntStats): Stat['type'] {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : 'socket';
}

function join(root: string, path: string): string {
  return path === '' ? root : `${root}/${path}`;
}
