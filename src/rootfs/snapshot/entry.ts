import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { inInitialNamespace } from '../../core/id-map.ts';
import { comparePaths, decodePath, fsPath } from '../../core/path-bytes.ts';
import type { TocEntries } from '../../layer/types.ts';
import { deviceNumbers, fileType } from '../../sys/file-stat.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { EntryType, LayerEntry } from '../../tar/types.ts';

/** Entries of a layer to be, packed: each question makes the object anew. */
export type ScannedEntries = Pick<TocEntries, 'count' | 'get' | 'facts'>;

/** A path that is in no layer of its step, and its time below, which is another one on disk by now. */
export interface LeftOutTime {
  readonly path: string;
  readonly mtimeNs: bigint;
}

/** What a step changed. */
export interface Scanned {
  /** Host path of the tree in which files have their content. */
  readonly root: string;
  /** Sorted by path, parents first. */
  readonly entries: ScannedEntries;
  readonly leftOut: readonly LeftOutTime[];
}

/** What a snapshot needs to know about a path. */
export interface Stat {
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

/** How a snapshot of a tree is made. */
export interface EntryDeps {
  readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr'>;
  /** Host path of the tree. */
  readonly root: string;
  /** See CommitOptions.mtime. */
  readonly mtime: number | undefined;
}

/** Extended attributes that a layer keeps, by path. */
export type TreeXattrs = ReadonlyMap<string, ReadonlyMap<string, Buffer>>;

/** A path of a tree as a layer's entry. */
export function entryOf(
  deps: Pick<EntryDeps, 'mtime'>,
  path: string,
  stat: Stat,
  type: EntryType,
  more: { readonly linkname?: string; readonly xattrs?: ReadonlyMap<string, Buffer> },
): LayerEntry {
  const device = type === 'char' || type === 'block' ? deviceNumbers(stat.rdev) : { major: 0, minor: 0 };
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
    devmajor: device.major,
    devminor: device.minor,
    ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
  };
}

/**
 * The entries of one layer for anything but directories: the first name of a file has its content, every further one is a
 * hard link to it.
 */
export function createLeafEntries(
  deps: EntryDeps,
): (path: string, stat: Stat, xattrs: ReadonlyMap<string, Buffer>) => LayerEntry {
  const firstNames = new Map<string, string>();
  return (path, stat, xattrs) => {
    const first = stat.links > 1 ? firstNames.get(stat.id) : undefined;
    if (first !== undefined) return entryOf(deps, path, stat, 'hardlink', { linkname: first });
    if (stat.links > 1) firstNames.set(stat.id, path);
    return leafEntry(deps, path, stat, xattrs);
  };
}

/** The entry of anything but a directory, with its link target. */
function leafEntry(
  deps: EntryDeps,
  path: string,
  stat: Stat,
  xattrs: ReadonlyMap<string, Buffer>,
): LayerEntry {
  const linkname =
    stat.type === 'symlink'
      ? decodePath(readlinkSync(fsPath(join(deps.root, path)), { encoding: 'buffer' }))
      : '';
  return entryOf(deps, path, stat, stat.type as EntryType, { linkname, xattrs });
}

/**
 * Whether a path has the time that it had; with fixed times also where it had the time that it would be given, so that
 * what it is on disk by now decides nothing.
 * @param fixed see CommitOptions.mtime
 */
export function staysSame(now: bigint, before: bigint, fixed: number | undefined): boolean {
  return now === before || (fixed !== undefined && before === BigInt(fixed) * 1_000_000_000n);
}

/** Whether owner and permissions are the same. */
export function sameMeta(a: Stat, b: Stat): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** Where overlayfs keeps what it needs to know: in a user namespace that is among the user's own. */
export const OVERLAY_XATTRS = inInitialNamespace() ? 'trusted.overlay.' : 'user.overlay.';

const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** The attributes that belong to a layer: capabilities and the user's own. */
export function readXattrs(
  syscalls: EntryDeps['syscalls'],
  root: string,
  path: string,
): ReadonlyMap<string, Buffer> {
  const host = join(root, path);
  const kept = syscalls
    .listXattrs(host)
    .filter((name) => name === 'security.capability' || name.startsWith('user.'))
    .filter((name) => !name.startsWith(OVERLAY_XATTRS));
  if (kept.length === 0) return NO_XATTRS;
  const pairs = kept.sort().map((name) => [name, syscalls.getXattr(host, name)] as const);
  return new Map(pairs.filter((pair): pair is readonly [string, Buffer] => pair[1] !== undefined));
}

/** Whether two sets of attributes are equal. */
export function sameXattrs(a: ReadonlyMap<string, Buffer>, b: ReadonlyMap<string, Buffer>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.equals(value));
}

/** Names in a directory, sorted by their bytes. */
export function names(dir: string): string[] {
  return readdirSync(fsPath(dir), { encoding: 'buffer' })
    .map((name) => decodePath(name))
    .sort(comparePaths);
}

/** Facts of a path itself; undefined when it is not there. */
export function statOf(path: string): Stat | undefined {
  const stat = lstatSync(fsPath(path), { bigint: true, throwIfNoEntry: false });
  if (!stat) return undefined;
  return {
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: Number(stat.size),
    mtimeNs: stat.mtimeNs,
    rdev: stat.rdev,
    type: fileType(stat),
    links: Number(stat.nlink),
    id: `${stat.dev}:${stat.ino}`,
  };
}

/** The host path of a path in a tree; '' is its root. */
export function join(root: string, path: string): string {
  return path === '' ? root : `${root}/${path}`;
}
