import {
  chmodSync,
  closeSync,
  copyFileSync,
  constants as fs,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { posix } from 'node:path';
import type { ChangeMode } from '../context/chmod.ts';
import type { CopyItem, SourceTree, TreeNode } from '../context/types.ts';
import { AppError } from '../core/error.ts';
import { fsPath } from '../core/path-bytes.ts';
import { resolveInRoot } from '../rootfs/resolve-in-root.ts';
import { S_IF } from '../sys/constants.ts';
import type { Syscalls } from '../sys/types.ts';

/** Who owns copied files; 'keep' leaves the source's owners. */
export type CopyOwner = 'keep' | { readonly uid: number; readonly gid: number };

export interface CopyRequest {
  /** Host path of the tree that is written. */
  readonly root: string;
  readonly tree: SourceTree;
  readonly items: readonly CopyItem[];
  /** Absolute inside the root; a trailing slash says that it is a directory. */
  readonly destination: string;
  /** More than one source: the destination is a directory then. */
  readonly several: boolean;
  readonly owner: CopyOwner;
  readonly chmod?: ChangeMode;
  /** Whether a symlink at the destination itself is followed. */
  readonly followDestination: boolean;
  readonly syscalls: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
}

interface Copier extends CopyRequest {
  /** Host path that targets are relative to. */
  readonly base: string;
  /** First name of every hard-link group that was written. */
  readonly links: Map<string, string>;
  /** Times of directories, to be set when all is written. */
  readonly times: { readonly path: string; readonly node: TreeNode }[];
}

/**
 * Writes items as COPY does: missing parents 0755 with the copy's owner, directories merged, files replaced, times of the
 * sources kept, hard links among the items kept.
 * @throws AppError BUILD_FAILED when a directory would replace a file or the other way round
 */
export async function applyCopy(request: CopyRequest): Promise<void> {
  const { root, items, destination } = request;
  const [only] = items;
  if (!only) return;
  const place = (path: string, followLast: boolean): string => resolveInRoot(root, path, { followLast });
  const single =
    items.length === 1 && only.node.type !== 'dir' && !request.several && !destination.endsWith('/');
  const existing = statInRoot(place(destination, true));
  const copier = (base: string): Copier => ({ ...request, base, links: new Map(), times: [] });
  if (single && !existing?.isDirectory()) {
    const path = place(destination, request.followDestination);
    makeParents(request, posix.dirname(path));
    const file = copier(path);
    return writeItem(file, { ...only, target: '' });
  }
  const base = place(destination, true);
  makeParents(request, base);
  const tree = copier(base);
  for (const item of items) {
    if (item.target === '' && item.node.type === 'dir')
      rootDirectory(tree, item.node, existing !== undefined);
    else await writeItem(tree, item);
  }
  for (const { path, node } of tree.times.toReversed())
    request.syscalls.lutimes(path, node.mtime, node.mtimeNsec);
}

/** A directory that is copied to a new place gives it its mode; an existing one stays as it is. */
function rootDirectory(copier: Copier, node: TreeNode, existed: boolean): void {
  if (existed) return;
  setOwnerAndMode(copier, copier.base, node);
  copier.times.push({ path: copier.base, node });
}

async function writeItem(copier: Copier, { node, target }: CopyItem): Promise<void> {
  const path = hostPath(copier, target);
  const existing = lstatSync(fsPath(path), { throwIfNoEntry: false });
  if (node.type === 'dir') {
    if (existing && !existing.isDirectory()) throw conflict(copier, path, 'a file', 'a directory');
    if (!existing) mkdirSync(fsPath(path));
    setOwnerAndMode(copier, path, node);
    copier.times.push({ path, node });
    return;
  }
  if (existing?.isDirectory()) throw conflict(copier, path, 'a directory', 'a file');
  if (existing) rmSync(fsPath(path));
  const first = node.hardlink === undefined ? undefined : copier.links.get(node.hardlink);
  if (first !== undefined) {
    linkSync(fsPath(first), fsPath(path));
    return;
  }
  await createNode(copier, node, path);
  setOwnerAndMode(copier, path, node);
  copier.syscalls.lutimes(path, node.mtime, node.mtimeNsec);
  if (node.hardlink !== undefined) copier.links.set(node.hardlink, path);
}

async function createNode({ tree, syscalls }: Copier, node: TreeNode, path: string): Promise<void> {
  if (node.type === 'symlink') return symlinkSync(fsPath(node.linkname), fsPath(path));
  if (node.type === 'file') {
    const source = tree.hostPath?.(node);
    if (source === undefined) await writeStream(tree, node, path);
    else copyFileSync(fsPath(source), fsPath(path), fs.COPYFILE_EXCL | fs.COPYFILE_FICLONE);
    return tree.checkUnchanged?.(node);
  }
  const type = node.type === 'char' ? S_IF.CHR : node.type === 'block' ? S_IF.BLK : S_IF.IFO;
  syscalls.mknod(path, type | node.mode, node.devmajor, node.devminor);
}

async function writeStream(tree: SourceTree, node: TreeNode, path: string): Promise<void> {
  const fd = openSync(fsPath(path), 'wx', 0o600);
  try {
    for await (const chunk of tree.open(node)) {
      const bytes = chunk as Buffer;
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    }
  } finally {
    closeSync(fd);
  }
}

/** Capabilities and setuid bits do not survive a change of owner, so they come after it. */
function setOwnerAndMode(copier: Copier, path: string, node: TreeNode): void {
  const { owner, chmod, syscalls } = copier;
  const { uid, gid } = owner === 'keep' ? node : owner;
  lchownSync(fsPath(path), uid, gid);
  if (node.type === 'symlink') return;
  chmodSync(fsPath(path), chmod ? chmod(node.mode, node.type === 'dir') : node.mode);
  for (const [name, value] of node.xattrs ?? []) syscalls.setXattr(path, name, value);
}

/** The host path of a target; parents that are symlinks in the root are followed inside it. */
function hostPath({ root, base }: Copier, target: string): string {
  if (target === '') return base;
  const inside = `${base.slice(root.length)}/${target}`;
  return resolveInRoot(root, inside, { followLast: false });
}

/** Docker gives `--chmod` to the directories that it makes, too. */
function makeParents({ root, owner, chmod }: CopyRequest, directory: string): void {
  const missing: string[] = [];
  let at = directory;
  for (; at.length > root.length; at = posix.dirname(at)) {
    const stat = statSync(fsPath(at), { throwIfNoEntry: false });
    if (stat?.isDirectory()) break;
    if (stat)
      throw new AppError(
        'BUILD_FAILED',
        `cannot make the directory ${directory.slice(root.length)}: ${at.slice(root.length)} is a file`,
      );
    missing.push(at);
  }
  for (const path of missing.toReversed()) {
    mkdirSync(fsPath(path));
    chmodSync(fsPath(path), chmod ? chmod(0o755, true) : 0o755);
    if (owner !== 'keep') lchownSync(fsPath(path), owner.uid, owner.gid);
  }
}

function statInRoot(path: string): ReturnType<typeof lstatSync> {
  return lstatSync(fsPath(path), { throwIfNoEntry: false });
}

function conflict({ root }: Copier, path: string, is: string, wanted: string): AppError {
  return new AppError('BUILD_FAILED', `cannot copy ${wanted} to ${path.slice(root.length)}: ${is} is there`, {
    hint: 'remove it in an earlier RUN, or copy to another name',
  });
}
