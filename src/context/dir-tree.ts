import { createHash } from 'node:crypto';
import {
  type BigIntStats,
  closeSync,
  constants,
  createReadStream,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { posix } from 'node:path';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { listNames } from '../core/list-names.ts';
import { comparePaths, decodePath, fsPath } from '../core/path-bytes.ts';
import { fileKey, type HashMemo } from './file-hash-memo.ts';
import type { IgnoreMatcher } from './ignore-matcher.ts';
import type { SourceTree, TreeNode, TreeNodeType } from './types.ts';

export interface DirectoryTreeOptions {
  /** Host directory; it is only read. */
  readonly root: string;
  readonly name: string;
  readonly ignore?: IgnoreMatcher;
  readonly memo?: HashMemo;
  /** Reads the extended attributes that a copy keeps. */
  readonly xattrs?: (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
}

const CHUNK = 1024 * 1024;
const MOST_LINKS = 40;

/** A host directory as a source of files. Symlinks are never followed out of it; sockets do not exist for it. */
export function createDirectoryTree(options: DirectoryTreeOptions): SourceTree {
  const { root, ignore, memo } = options;
  const host = (path: string): string => (path === '' ? root : `${root}/${path}`);
  const guarded = <T>(path: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unreadable(options.name, host(path), error);
    }
  };

  const nodeOf = (path: string, stat: BigIntStats): TreeNode | undefined => {
    const type = typeOf(stat);
    if (type === undefined) return undefined;
    const symlink = type === 'symlink';
    const linkname = symlink ? decodePath(readlinkSync(fsPath(host(path)), { encoding: 'buffer' })) : '';
    const device = type === 'char' || type === 'block';
    const key = type === 'file' ? fileKey(stat) : undefined;
    const known = key === undefined ? undefined : memo?.get(key);
    const xattrs = symlink || known?.plain === true ? undefined : options.xattrs?.(host(path));
    return {
      path,
      type,
      mode: Number(stat.mode) & 0o7777,
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      size: type === 'file' ? Number(stat.size) : 0,
      mtime: Number(stat.mtimeNs / 1_000_000_000n),
      mtimeNsec: Number(stat.mtimeNs % 1_000_000_000n),
      linkname,
      devmajor: device ? Number(((stat.rdev >> 8n) & 0xfffn) | ((stat.rdev >> 32n) & ~0xfffn)) : 0,
      devminor: device ? Number((stat.rdev & 0xffn) | ((stat.rdev >> 12n) & 0xffffff00n)) : 0,
      ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
      ...(key === undefined ? {} : { version: known ? { key, digest: known.digest } : { key } }),
      ...(type === 'file' && stat.nlink > 1n ? { hardlink: `${stat.dev}:${stat.ino}` } : {}),
    };
  };

  const lstat = (path: string): BigIntStats | undefined => {
    const stat = lstatSync(fsPath(host(path)), { bigint: true, throwIfNoEntry: false });
    return stat;
  };

  const walk = (path: string, found: TreeNode[]): void => {
    const stat = guarded(path, () => lstat(path));
    const node = stat && guarded(path, () => nodeOf(path, stat));
    if (!node) return;
    const excluded = path !== '' && ignore?.matches(path) === true;
    if (excluded && (node.type !== 'dir' || !ignore?.mayHold(path))) return;
    const at = found.length;
    found.push(node);
    if (node.type === 'dir') {
      const names = guarded(path, () => listNames(host(path)));
      for (const name of names.sort(comparePaths)) walk(path === '' ? name : `${path}/${name}`, found);
    }
    // An excluded directory stays only as the way to something that is wanted again.
    if (excluded && found.length === at + 1) found.pop();
  };

  const below = (path: string): TreeNode[] => {
    const found: TreeNode[] = [];
    walk(path, found);
    return found;
  };

  return {
    name: options.name,
    list: async (path) => below(path).sort((a, b) => comparePaths(a.path, b.path)),
    stat: async (path) => {
      const real = guarded(path, () => resolveParents(path, (at) => lstat(at), host));
      const stat = guarded(path, () => lstat(real));
      if (!stat) return undefined;
      if (real !== '' && ignore?.matches(real) && (!stat.isDirectory() || below(real).length === 0))
        return undefined;
      return guarded(path, () => nodeOf(real, stat));
    },
    hostPath: (node) => host(node.path),
    open: (node) => createReadStream(fsPath(host(node.path)), { highWaterMark: CHUNK }),
    checkUnchanged: (node) => {
      const stat = guarded(node.path, () => lstat(node.path));
      if (stat && fileKey(stat) === node.version?.key) return;
      throw new AppError('CONTEXT', `${host(node.path)} changed while the build was using it`, {
        where: { path: host(node.path) },
        hint: 'build again when nothing writes to the context any more',
      });
    },
    contentDigest: async (node) =>
      node.version?.digest ??
      (node.version === undefined ? undefined : memo?.get(node.version.key)?.digest) ??
      guarded(node.path, () => {
        const { identity, digest } = hashFile(host(node.path));
        // An attribute that came after the listing has changed the ctime.
        const plain = !!options.xattrs && !node.xattrs && fileKey(identity) === node.version?.key;
        memo?.set(identity, { digest, plain });
        return digest;
      }),
  };
}

function hashFile(path: string): { readonly identity: BigIntStats; readonly digest: Digest } {
  const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const identity = fstatSync(fd, { bigint: true });
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(1, Number(identity.size))));
    for (;;) {
      const count = readSync(fd, buffer);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
    }
    return { identity, digest: `sha256:${hash.digest('hex')}` };
  } finally {
    closeSync(fd);
  }
}

/** The path with symlinks among its parents resolved inside the tree. */
function resolveParents(
  path: string,
  lstat: (path: string) => BigIntStats | undefined,
  host: (path: string) => string,
): string {
  const todo = path.split('/').filter((part) => part !== '' && part !== '.');
  let at: string[] = [];
  let links = 0;
  while (todo.length > 0) {
    const part = todo.shift()!;
    if (part === '..') {
      at = at.slice(0, -1);
      continue;
    }
    const here = [...at, part].join('/');
    if (todo.length === 0 || !lstat(here)?.isSymbolicLink()) {
      at.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new Error('too many levels of symlinks');
    const target = decodePath(readlinkSync(fsPath(host(here)), { encoding: 'buffer' }));
    if (posix.isAbsolute(target)) at = [];
    todo.unshift(...target.split('/').filter((piece) => piece !== '' && piece !== '.'));
  }
  return at.join('/');
}

function typeOf(stat: BigIntStats): TreeNodeType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

function unreadable(tree: string, path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('CONTEXT', `cannot read ${path} in ${tree}: ${reason}`, {
    cause: error,
    where: { path },
    hint: 'make it readable, or leave it out with .dockerignore',
  });
}
