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
import type { ChangeMode } from '../../context/chmod.ts';
import type { CopyItem, SourceTree, TreeNode } from '../../context/types.ts';
import { AppError } from '../../core/error.ts';
import { fsPath } from '../../core/path-bytes.ts';
import { resolveInRoot } from '../../rootfs/resolve-in-root.ts';
import { S_IF } from '../../sys/constants.ts';
import type { Syscalls } from '../../sys/types.ts';

/** Who owns copied files; 'keep' leaves the source's owners. */
export type CopyOwner = 'keep' | { readonly uid: number; readonly gid: number };

export interface CopyRequest {
  /** Host path of the tree that is written. */
  readonly root: string;
  readonly tree: SourceTree;
  readonly items: readonly CopyItem[];
  /** Absolute inside the root; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly owner: CopyOwner;
  readonly chmod?: ChangeMode;
  /** Of the directories that are made above the files; 0755 unless something else is said. */
  readonly madeMode?: number;
  /** Whether a copied directory that does not exist yet has its own mode and owner, not those of a directory that is made. */
  readonly ownTop?: boolean;
  /** Whether paths of the sources are kept (--parents), so that the destination is a directory. */
  readonly parents?: boolean;
  /** Whether a file takes the place of a directory and the other way round, as in an archive that is unpacked. */
  readonly replace?: boolean;
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
 * Writes items as COPY does, one source after the other: a file goes into a destination that is a directory by then, else
 * to its name; a directory's contents go into the destination. Missing directories are made 0755 with the copy's owner,
 * directories merged, files replaced, times of the sources kept, hard links within a source kept. What is copied to a
 * directory that is not there yet does not get the source directory's own mode and owner, as in BuildKit.
 * @throws AppError BUILD_FAILED when a directory would replace a file or the other way round
 */
export async function applyCopy(request: CopyRequest): Promise<void> {
  for (let at = 0; at < request.items.length; ) {
    const { source } = request.items[at]!;
    const end = request.items.findIndex((item, index) => index > at && item.source !== source);
    const items = request.items.slice(at, end === -1 ? undefined : end);
    await copySource(request, items);
    at += items.length;
  }
}

async function copySource(request: CopyRequest, items: readonly CopyItem[]): Promise<void> {
  const { root, destination } = request;
  const [first] = items;
  if (!first) return;
  const place = (followLast: boolean): string => resolveInRoot(root, destination, { followLast });
  const copier = (base: string): Copier => ({ ...request, base, links: new Map(), times: [] });
  const base = place(true);
  const existing = lstatSync(fsPath(base), { throwIfNoEntry: false });
  const single = items.length === 1 && first.node.type !== 'dir' && request.parents !== true;
  if (single && !destination.endsWith('/') && !existing?.isDirectory()) {
    const path = place(request.followDestination);
    makeParents(request, posix.dirname(path));
    return writeItem(copier(path), { ...first, target: '' });
  }
  const tree = copier(base);
  const madeByItself = request.ownTop === true && !existing && !destination.endsWith('/');
  makeParents(request, madeByItself ? posix.dirname(base) : base);
  for (const item of items) {
    if (item.target !== '' || item.node.type !== 'dir') await writeItem(tree, item);
    else if (madeByItself) await writeItem(tree, item);
    else if (!existing) tree.times.push({ path: base, node: item.node });
  }
  for (const { path, node } of tree.times.toReversed())
    request.syscalls.lutimes(path, node.mtime, node.mtimeNsec);
}

async function writeItem(copier: Copier, { node, target, source }: CopyItem): Promise<void> {
  const path = hostPath(copier, target);
  const existing = lstatSync(fsPath(path), { throwIfNoEntry: false });
  const isDir = existing?.isDirectory() === true;
  if (existing && copier.replace === true && !(isDir && node.type === 'dir')) {
    rmSync(fsPath(path), { recursive: true });
    return writeItem(copier, { node, target, source });
  }
  if (node.type === 'dir') {
    if (existing && !isDir) throw conflict(copier, path, 'a file', 'a directory');
    if (!existing) mkdirSync(fsPath(path));
    setOwnerAndMode(copier, path, node);
    copier.times.push({ path, node });
    return;
  }
  if (isDir) throw conflict(copier, path, 'a directory', 'a file');
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

function makeParents({ root, owner, madeMode = 0o755 }: CopyRequest, directory: string): void {
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
    chmodSync(fsPath(path), madeMode);
    if (owner !== 'keep') lchownSync(fsPath(path), owner.uid, owner.gid);
  }
}

function conflict({ root }: Copier, path: string, is: string, wanted: string): AppError {
  return new AppError('BUILD_FAILED', `cannot copy ${wanted} to ${path.slice(root.length)}: ${is} is there`, {
    hint: 'remove it in an earlier RUN, or copy to another name',
  });
}
