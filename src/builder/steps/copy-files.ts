import { closeSync, copyFileSync, fchmodSync, fchownSync, constants as fs } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { broughtBy } from '../../context/brought.ts';
import type { ChangeMode } from '../../context/chmod.ts';
import { isSmallFile, MANY_FILES, readSmall, SMALL } from '../../context/small-files.ts';
import type { CopyItem, CopyItems, SourceTree, TreeNode } from '../../context/types.ts';
import { type BatchThreads, batchThreadCount, createBatchThreads } from '../../core/batch-threads.ts';
import { AppError, toAppError } from '../../core/error.ts';
import { type BeneathDirectory, createBeneath } from '../../sys/beneath.ts';
import { S_IF } from '../../sys/constants.ts';
import { createEntries, type Entries } from '../../sys/entries.ts';
import {
  chmodEntry,
  createEntry,
  type EntryName,
  lchownEntry,
  linkEntry,
  lstatEntry,
  mkdirEntry,
  symlinkEntry,
  unlinkEntry,
} from '../../sys/entry.ts';
import { copyStored, hasHoles } from '../../sys/holes.ts';
import type { Syscalls } from '../../sys/types.ts';
import {
  type BatchCopier,
  type BatchFiller,
  type CopyBatch,
  createBatchCopier,
  createBatchFiller,
  type FreshDirectory,
  writeAll,
} from './copy-batch.ts';

/** Who owns copied files; 'keep' leaves the source's owners. */
export type CopyOwner = 'keep' | { readonly uid: number; readonly gid: number };

export interface CopyRequest {
  /** Host path of the tree that is written. */
  readonly root: string;
  readonly tree: SourceTree;
  readonly items: CopyItems;
  /** Absolute inside the root; a trailing slash says that it is a directory. */
  readonly destination: string;
  readonly owner: CopyOwner;
  readonly chmod?: ChangeMode;
  /** Of the directories that are made above the files; 0755 unless something else is said. */
  readonly madeMode?: number;
  /** Whose they are; nobody's but ours, with the group of a set-gid directory above, unless something else is said. */
  readonly madeOwner?: { readonly uid: number; readonly gid: number };
  /** Whether a copied directory that does not exist yet has its own mode and owner, not those of a directory that is made. */
  readonly ownTop?: boolean;
  /** Whether paths of the sources are kept (--parents), so that the destination is a directory. */
  readonly parents?: boolean;
  /** The time that all have, in seconds since the epoch, instead of those of the sources. */
  readonly mtime?: number;
  /** Whether a symlink at the destination itself is followed. */
  readonly followDestination: boolean;
  readonly syscalls: Pick<
    Syscalls,
    'mknod' | 'setXattr' | 'lutimes' | 'futimes' | 'openat2' | 'dataSegments'
  >;
}

/** The tree that is written; links in it lead nowhere else. */
interface Place {
  readonly directory: BeneathDirectory;
  readonly entries: Entries;
  readonly batches: Batches;
}

/** Who copies batches of files. */
interface Batches {
  readonly inline: () => BatchCopier;
  /** Where there are so many files that starting them pays. */
  readonly threads: () => BatchThreads<CopyBatch, readonly number[]> | undefined;
  /** Waits for the threads, where any were started. */
  finish(): Promise<void>;
  close(): Promise<void>;
}

interface Copier extends CopyRequest, Place {
  /** Inside the root, without links: what targets are relative to. */
  readonly base: string;
  /** First name of every hard-link group that was written. */
  readonly links: Map<string, string>;
  /** Times of directories, to be set when all is written. */
  readonly times: { readonly path: string; readonly node: TreeNode }[];
  /** Directories that were made, by their paths, where files of the source may be copied by batches. */
  readonly fresh: Map<string, FreshDirectory>;
}

/**
 * Writes items as COPY does, one source after the other: a file goes into a destination that is a directory by then, else
 * to its name; a directory's contents go into the destination. Missing directories are made 0755 with the owner that the request names for them,
 * directories merged, files replaced, times of the sources kept, hard links within a source kept. What is copied to a
 * directory that is not there yet does not get the source directory's own mode and owner, as in BuildKit.
 * Holes of sparse files stay holes.
 * @throws AppError BUILD_FAILED when a directory would replace a file or the other way round; DISK_FULL before anything is
 * written, see SourceTree.checkRoom
 */
export async function applyCopy(request: CopyRequest): Promise<void> {
  request.tree.checkRoom?.(broughtBy(request.items), request.root);
  const directory = createBeneath(request.syscalls)(request.root);
  const entries = createEntries(directory, { links: 'in-root', make: false });
  const batches = createBatches(request);
  const place = { directory, entries, batches };
  try {
    for (const source of bySource(request.items)) await copySource(request, place, source);
  } finally {
    await batches.close();
    entries.close();
    directory.close();
  }
}

/**
 * The directory at a destination, made when it is missing, with its parents, 0755.
 * @returns it on its own, for the caller to close
 * @throws AppError BUILD_FAILED where something else is
 */
export function openDestination(
  request: Pick<CopyRequest, 'root' | 'destination' | 'madeOwner'> & {
    readonly syscalls: Pick<Syscalls, 'openat2'>;
  },
): BeneathDirectory {
  const root = createBeneath(request.syscalls)(request.root);
  try {
    const path = realPath(root, request.destination, true);
    makeParents(request, root, path);
    return root.directory(path);
  } finally {
    root.close();
  }
}

function createBatches({ root, items, syscalls }: CopyRequest): Batches {
  const parallel = items.length >= MANY_FILES && batchThreadCount() > 1;
  let inline: BatchCopier | undefined;
  let threads: ReturnType<Batches['threads']>;
  return {
    inline: () => {
      inline ??= createBatchCopier(root, syscalls);
      return inline;
    },
    threads: () => {
      if (parallel)
        threads ??= createBatchThreads({ script: 'copy-worker', data: root, what: 'copies files' });
      return threads;
    },
    finish: async () => threads?.finish(),
    close: async () => {
      await threads?.close();
      inline?.close();
    },
  };
}

/** So long, in milliseconds, nothing else is done while files are copied, such as reading the answers of uploads. */
const LONGEST_MS = 20;

/** The items of one source, of which only the first one is seen before they are asked for. */
interface SourceItems {
  readonly first: CopyItem;
  /** Whether there is no other. */
  readonly alone: boolean;
  /** All of them; to be read once, and before those of the next source. */
  readonly all: Iterable<CopyItem>;
}

function* bySource(items: Iterable<CopyItem>): Generator<SourceItems> {
  const reader = items[Symbol.iterator]();
  let next = reader.next();
  const ofSource = (source: number): boolean => next.done !== true && next.value.source === source;
  while (next.done !== true) {
    const first = next.value;
    next = reader.next();
    const all = function* (): Generator<CopyItem> {
      yield first;
      while (next.done !== true && next.value.source === first.source) {
        yield next.value;
        next = reader.next();
      }
    };
    yield { first, alone: !ofSource(first.source), all: all() };
  }
}

async function copySource(
  request: CopyRequest,
  place: Place,
  { first, alone, all }: SourceItems,
): Promise<void> {
  const { destination } = request;
  const { directory } = place;
  const copier = (base: string): Copier => ({
    ...request,
    ...place,
    base,
    links: new Map(),
    times: [],
    fresh: new Map(),
  });
  const base = realPath(directory, destination, true);
  const existing = directory.lstat(base);
  const single = alone && first.node.type !== 'dir' && request.parents !== true;
  if (single && !destination.endsWith('/') && !existing?.isDirectory()) {
    const path = request.followDestination ? base : realPath(directory, destination, false);
    makeParents(request, directory, parentOf(path));
    return writeItem(copier(path), { ...first, target: '' });
  }
  const tree = copier(base);
  const madeByItself = request.ownTop === true && !existing && !destination.endsWith('/');
  makeParents(request, directory, madeByItself ? parentOf(base) : base);
  const batch = createBatch(tree);
  let rest = performance.now() + LONGEST_MS;
  for (const item of all) {
    if (performance.now() > rest) {
      await breathe();
      rest = performance.now() + LONGEST_MS;
    }
    const above = batch.freshFor(item);
    if (above) {
      if (batch.isFullFor(above)) await batch.send();
      batch.add(above, item);
    } else if (item.target !== '' || item.node.type !== 'dir') await writeItem(tree, item);
    else if (madeByItself) await writeItem(tree, item);
    else if (!existing) {
      tree.times.push({ path: base, node: item.node });
      addFresh(tree, base, item.node, UNKNOWN);
    }
  }
  await batch.finish();
  for (const { path, node } of tree.times.toReversed())
    request.syscalls.lutimes(entryAt(place, path), ...timeOf(request, node));
}

/** Files of fresh directories, which are copied by batches. */
interface Batch extends Pick<BatchFiller, 'isFullFor'> {
  /** The directory of an item that is one of them. */
  freshFor(item: CopyItem): FreshDirectory | undefined;
  add(above: FreshDirectory, item: CopyItem): void;
  send(): Promise<void>;
  /** Sends what is left, and copies one by one what could not be copied. @throws as writeItem */
  finish(): Promise<void>;
}

function createBatch(copier: Copier): Batch {
  const { tree, fresh, owner, chmod, batches } = copier;
  const filler: BatchFiller = createBatchFiller();
  let items: CopyItem[] = [];
  const left: CopyItem[] = [];
  const taken = () => {
    const sent = items;
    items = [];
    const leave = (indices: readonly number[]): void => {
      for (const index of indices) left.push(sent[index]!);
    };
    return { batch: filler.take(), leave };
  };
  return {
    isFullFor: filler.isFullFor,
    freshFor: ({ node, target }) => {
      if (fresh.size === 0 || !tree.plainRoot || !isSmallFile(node)) return undefined;
      const [parent, name] = [parentOf(target), nameOf(target)];
      const above = fresh.get(parent === '' ? copier.base : below(copier.base, parent));
      return above && node.path === below(above.path, name) ? above : undefined;
    },
    add: (above, item) => {
      const { node, target } = item;
      const name = nameOf(target);
      const { uid, gid } = owner === 'keep' ? node : owner;
      const [mtime, mtimeNsec] = timeOf(copier, node);
      const mode = chmod ? chmod(node.mode, false) : node.mode;
      filler.add(above, { node, name, mode, uid, gid, mtime, mtimeNsec });
      items.push(item);
    },
    send: async () => {
      const { batch, leave } = taken();
      const others = batches.threads();
      if (others) await others.send(batch, [batch.files.rows.buffer, batch.meta.buffer], leave);
      else leave(batches.inline().copy(batch));
    },
    finish: async () => {
      if (items.length > 0) {
        const { batch, leave } = taken();
        leave(batches.inline().copy(batch));
      }
      await batches.finish();
      for (const item of left) await writeItem(copier, item);
    },
  };
}

function timeOf({ mtime }: CopyRequest, node: TreeNode): readonly [seconds: number, nanoseconds: number] {
  return mtime === undefined ? [node.mtime, node.mtimeNsec] : [mtime, 0];
}

async function writeItem(copier: Copier, item: CopyItem): Promise<void> {
  const { node, target } = item;
  const { directory, owner } = copier;
  const path = target === '' ? copier.base : below(copier.base, target);
  const entry = entryAt(copier, path);
  const existing = lstatEntry(entry);
  const isDir = existing?.isDirectory() === true;
  if (node.type === 'dir') {
    if (existing && !isDir) throw conflict(path, 'a file', 'a directory');
    if (!existing) mkdirEntry(entry);
    setOwnerAndMode(copier, entry, node);
    copier.times.push({ path, node });
    if (!existing) addFresh(copier, path, node, owner === 'keep' ? node.gid : owner.gid);
    return;
  }
  if (isDir) throw conflict(path, 'a directory', 'a file');
  if (existing) unlinkEntry(entry);
  const first = node.hardlink === undefined ? undefined : copier.links.get(node.hardlink);
  if (first !== undefined) return directory.at(first, (old) => linkEntry(old, entry));
  if (node.type === 'file') await writeFile(copier, node, entry);
  else {
    createNode(copier, node, entry, path);
    setOwnerAndMode(copier, entry, node);
    copier.syscalls.lutimes(entry, ...timeOf(copier, node));
  }
  if (node.hardlink !== undefined) copier.links.set(node.hardlink, path);
}

/** The group of a directory that has it from the one above. */
const UNKNOWN = -1;

function addFresh({ tree, fresh }: Copier, to: string, { path }: TreeNode, gid: number): void {
  const root = tree.plainRoot?.();
  if (root !== undefined) fresh.set(to, { path, from: path === '' ? root : `${root}/${path}`, to, gid });
}

function createNode({ syscalls }: Copier, node: TreeNode, entry: EntryName, path: string): void {
  if (node.type === 'symlink') return symlinkEntry(node.linkname, entry);
  const type = node.type === 'char' ? S_IF.CHR : node.type === 'block' ? S_IF.BLK : S_IF.IFO;
  try {
    syscalls.mknod(entry, type | node.mode, node.devmajor, node.devminor);
  } catch (error) {
    const what = node.type === 'fifo' ? 'named pipe' : 'device';
    throw toAppError(error, 'OUTPUT', `cannot make the ${what} /${path}`);
  }
}

/** A file with everything that belongs to it. Capabilities and setuid bits do not survive a change of owner, so they come after it. */
async function writeFile(copier: Copier, node: TreeNode, entry: EntryName): Promise<void> {
  const { tree, owner, chmod, syscalls } = copier;
  const { uid, gid } = owner === 'keep' ? node : owner;
  const file = createEntry(entry);
  try {
    if (tree.openFile) copyContent(copier, node, tree.openFile(node), file);
    else await writeStream(tree, node, file);
    fchownSync(file, uid, gid);
    fchmodSync(file, chmod ? chmod(node.mode, false) : node.mode);
    for (const [name, value] of node.xattrs ?? []) syscalls.setXattr(entry, name, value);
    syscalls.futimes(file, ...timeOf(copier, node));
  } finally {
    closeSync(file);
  }
}

/** Closes the source. */
function copyContent({ tree, syscalls }: Copier, node: TreeNode, source: number, file: number): void {
  try {
    if (node.size > SMALL && hasHoles(source, node.size, syscalls))
      copyStored(source, file, node.size, syscalls);
    else if (node.size > SMALL)
      copyFileSync(`/proc/self/fd/${source}`, `/proc/self/fd/${file}`, fs.COPYFILE_FICLONE);
    else if (node.size > 0) writeAll(file, readSmall(source, node.size));
    tree.checkUnchanged?.(node, source);
  } finally {
    closeSync(source);
  }
}

async function writeStream(tree: SourceTree, node: TreeNode, file: number): Promise<void> {
  for await (const chunk of tree.open(node)) writeAll(file, chunk as Buffer);
}

function setOwnerAndMode(copier: Copier, entry: EntryName, node: TreeNode): void {
  const { owner, chmod, syscalls } = copier;
  const { uid, gid } = owner === 'keep' ? node : owner;
  lchownEntry(entry, uid, gid);
  if (node.type === 'symlink') return;
  chmodEntry(entry, chmod ? chmod(node.mode, node.type === 'dir') : node.mode);
  for (const [name, value] of node.xattrs ?? []) syscalls.setXattr(entry, name, value);
}

/** '' is the root itself. */
function entryAt({ entries }: Place, path: string): EntryName {
  return entries.at(path === '' ? '.' : path);
}

function realPath(directory: BeneathDirectory, path: string, followLast: boolean): string {
  try {
    return directory.realPath(path, { followLast });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOOP') throw error;
    throw new AppError('BUILD_FAILED', `${path} has too many levels of symlinks`, { where: { path } });
  }
}

function below(base: string, target: string): string {
  return base === '' ? target : `${base}/${target}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function makeParents(
  { madeOwner, madeMode = 0o755 }: Pick<CopyRequest, 'madeOwner' | 'madeMode'>,
  root: BeneathDirectory,
  directory: string,
): void {
  const missing: string[] = [];
  for (let at = directory; at !== ''; at = parentOf(at)) {
    const stat = root.stat(at);
    if (stat?.isDirectory()) break;
    if (stat) throw new AppError('BUILD_FAILED', `cannot make the directory /${directory}: /${at} is a file`);
    missing.push(at);
  }
  for (const path of missing.toReversed()) {
    root.makeDirectory(path, { mode: madeMode, inherits: true });
    if (madeOwner) root.at(path, (entry) => lchownEntry(entry, madeOwner.uid, madeOwner.gid));
  }
}

function conflict(path: string, is: string, wanted: string): AppError {
  return new AppError('BUILD_FAILED', `cannot copy ${wanted} to /${path}: ${is} is there`, {
    hint: 'remove it in an earlier RUN, or copy to another name',
  });
}
