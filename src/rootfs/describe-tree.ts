import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { comparePaths, decodePath, fsPath } from '../core/path-bytes.ts';
import { deviceNumbers, fileType } from '../sys/file-stat.ts';
import type { Syscalls } from '../sys/types.ts';
import type { EntryType } from '../tar/types.ts';

/** Everything about a path that a layer can carry. */
export interface PathDescription {
  readonly path: string;
  readonly type: Exclude<EntryType, 'hardlink'> | 'socket';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for anything but a file. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** Target of a symlink, else ''. */
  readonly link: string;
  /** `major:minor` of a device, else ''. */
  readonly device: string;
  /** Hex sha256 of a file's content, else ''. */
  readonly sha256: string;
  /** Extended attributes, values in hex. */
  readonly xattrs: Readonly<Record<string, string>>;
  /** The least path that is the same inode; the path itself when it has no other name. */
  readonly first: string;
}

/**
 * Describes every path of a tree, the root as '' included, sorted by bytes, so that two trees can be compared. Content is
 * read whole, file by file: for tests and small trees. Names that are listed but not there are left out; overlayfs lists
 * whiteouts that have nothing to hide.
 * @param sys left out: extended attributes are not looked at
 */
export function describeTree(
  root: string,
  sys?: Pick<Syscalls, 'listXattrs' | 'getXattr'>,
): PathDescription[] {
  const found: { path: string; stat: fs.BigIntStats }[] = [];
  const walk = (path: string): void => {
    const full = path === '' ? root : `${root}/${path}`;
    const stat = fs.lstatSync(fsPath(full), { bigint: true, throwIfNoEntry: false });
    if (!stat) return;
    found.push({ path, stat });
    if (!stat.isDirectory()) return;
    for (const name of fs.readdirSync(fsPath(full), { encoding: 'buffer' })) {
      walk(path === '' ? decodePath(name) : `${path}/${decodePath(name)}`);
    }
  };
  walk('');
  found.sort((a, b) => comparePaths(a.path, b.path));
  const first = new Map<string, string>();
  return found.map(({ path, stat }) => {
    const full = path === '' ? root : `${root}/${path}`;
    const inode = `${stat.dev}:${stat.ino}`;
    if (!first.has(inode)) first.set(inode, path);
    const type = fileType(stat);
    return {
      path,
      type,
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: type === 'file' ? Number(stat.size) : 0,
      mtime: stat.mtimeNs,
      link: type === 'symlink' ? decodePath(fs.readlinkSync(fsPath(full), { encoding: 'buffer' })) : '',
      device: type === 'char' || type === 'block' ? deviceName(stat.rdev) : '',
      sha256:
        type === 'file'
          ? createHash('sha256')
              .update(fs.readFileSync(fsPath(full)))
              .digest('hex')
          : '',
      xattrs: sys ? xattrsOf(full, sys) : {},
      first: first.get(inode)!,
    };
  });
}

function deviceName(rdev: bigint): string {
  const { major, minor } = deviceNumbers(rdev);
  return `${major}:${minor}`;
}

function xattrsOf(path: string, sys: Pick<Syscalls, 'listXattrs' | 'getXattr'>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of sys.listXattrs(path).sort()) out[name] = sys.getXattr(path, name)?.toString('hex') ?? '';
  return out;
}
