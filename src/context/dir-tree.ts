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
import { canonicalDigest } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { listNames } from '../core/list-names.ts';
import { comparePaths, decodePath, fsPath } from '../core/path-bytes.ts';
import { resolveLinks } from '../rootfs/resolve-in-root.ts';
import { deviceNumbers, fileType } from '../sys/file-stat.ts';
import type { Syscalls } from '../sys/types.ts';
import type { AnswerMemo } from './answer-memo.ts';
import { fileKey, type HashMemo } from './file-hash-memo.ts';
import type { IgnoreMatcher } from './ignore-matcher.ts';
import { type TreeState, type TreeStateDeps, treeState } from './tree-state.ts';
import type { SourceTree, TreeNode } from './types.ts';

export interface DirectoryTreeOptions {
  /** Host directory; it is only read. */
  readonly root: string;
  readonly name: string;
  readonly ignore?: IgnoreMatcher;
  readonly memo?: HashMemo;
  readonly answers?: AnswersOptions;
  /** Reads the extended attributes that a copy keeps. */
  readonly xattrs?: (hostPath: string) => ReadonlyMap<string, Buffer> | undefined;
}

/** Remembers what was asked of many files at once. */
export interface AnswersOptions {
  readonly memo: AnswerMemo;
  readonly syscalls: Pick<Syscalls, 'listDirectory'>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const CHUNK = 1024 * 1024;
const RACY_SECONDS = 2;

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
    const type = fileType(stat);
    if (type === 'socket') return undefined;
    const symlink = type === 'symlink';
    const linkname = symlink ? decodePath(readlinkSync(fsPath(host(path)), { encoding: 'buffer' })) : '';
    const device = type === 'char' || type === 'block' ? deviceNumbers(stat.rdev) : { major: 0, minor: 0 };
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
      devmajor: device.major,
      devminor: device.minor,
      ...(xattrs && xattrs.size > 0 ? { xattrs } : {}),
      ...(key === undefined ? {} : { version: known ? { key, digest: known.digest } : { key } }),
      ...(type === 'file' && stat.nlink > 1n ? { hardlink: `${stat.dev}:${stat.ino}` } : {}),
    };
  };

  const lstat = (path: string): BigIntStats | undefined => {
    const stat = lstatSync(fsPath(host(path)), { bigint: true, throwIfNoEntry: false });
    return stat;
  };

  const linkAt = (path: string): string | undefined =>
    lstat(path)?.isSymbolicLink()
      ? decodePath(readlinkSync(fsPath(host(path)), { encoding: 'buffer' }))
      : undefined;

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

  const stateOf = (paths: readonly string[], syscalls: TreeStateDeps['syscalls']): TreeState | undefined => {
    try {
      return treeState(paths, { root, syscalls, ...(ignore ? { ignore } : {}) });
    } catch {
      // Whoever lists the files then says what is wrong with them.
      return undefined;
    }
  };

  return {
    name: options.name,
    list: async (path) => below(path).sort((a, b) => comparePaths(a.path, b.path)),
    stat: async (path) => {
      const real = guarded(path, () => {
        const found = resolveLinks(path, linkAt, { followLast: false });
        if (found === undefined) throw new Error('too many levels of symlinks');
        return found;
      });
      const stat = guarded(path, () => lstat(real));
      if (!stat) return undefined;
      if (real !== '' && ignore?.matches(real) && (!stat.isDirectory() || below(real).length === 0))
        return undefined;
      return guarded(path, () => nodeOf(real, stat));
    },
    remembered: async (paths, question, compute) => {
      const begin = (options.answers?.now ?? Date.now)() / 1000;
      const state = options.answers && stateOf(paths, options.answers.syscalls);
      if (!options.answers || !state) return compute();
      const patterns = ignore?.patterns ?? [];
      const asked = canonicalDigest({ question, paths, patterns });
      const known = options.answers.memo.get(asked, state.digest);
      if (known !== undefined) {
        memo?.keepUnused();
        return known;
      }
      const answer = await compute();
      // A file that was just written may be written again within the same tick of its clock.
      if (begin - state.newest > RACY_SECONDS) options.answers.memo.set(asked, state.digest, answer);
      return answer;
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

function unreadable(tree: string, path: string, error: unknown): AppError {
  if (error instanceof AppError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('CONTEXT', `cannot read ${path} in ${tree}: ${reason}`, {
    cause: error,
    where: { path },
    hint: 'make it readable, or leave it out with .dockerignore',
  });
}
