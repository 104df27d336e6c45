import fs from 'node:fs';
import { type AppError, toAppError } from '../../core/error.ts';
import { inInitialNamespace } from '../../core/id-map.ts';
import { fsPath } from '../../core/path-bytes.ts';
import type { EntryRow, Facts } from '../../layer/entry-store.ts';
import { NOT_ON_DISK, type Node, type Tree } from './tree.ts';
import { createMetaWriter, type WriterDeps } from './tree-writer-meta.ts';

/**
 * Puts nodes of a union on disk, each at most once. All calls are synchronous. Parents are directories of the union that
 * this writer made itself, so no path ever leads through a symlink.
 */
export interface TreeWriter {
  /** The union whose nodes it writes. */
  readonly tree: Tree;
  /** A file with all its content. */
  file(node: Node, content: Uint8Array): void;
  /** Opens a file whose content comes in parts: `write` them, then `close`. What is left out is a hole. */
  open(node: Node): number;
  write(fd: number, content: Uint8Array, position: number): void;
  /** Makes a file that ends in a hole as long as it is to be. */
  extend(fd: number, size: number): void;
  close(fd: number, node: Node): void;
  /** Closes a file that is not finished, after an error. */
  discard(fd: number): void;
  /** An empty file, symlink, device or fifo. */
  leaf(node: Node): void;
  /** Makes the directories of a file that somebody else is about to write, and counts it as on disk. */
  expect(node: Node): void;
  /** Gives a file that somebody else wrote all its metadata. */
  refine(node: Node): void;
  /** Another name for an inode that is on disk under one of its names or as `kept`; false when it is not. */
  link(node: Node): boolean;
  dir(node: Node): void;
  /** A directory's owner, mode, attributes and times; after everything in it. */
  finishDir(node: Node): void;
  /** Deletes a node and everything below it, as far as it is on disk. */
  remove(node: Node): void;
  /** Moves a file out of the way, to be linked later and dropped with `dropKept`. */
  keep(node: Node): void;
  /** A file that is about to be written is to lie aside, as with `keep`. */
  setAside(node: Node): void;
  /** As `link`, but only so that the inode stays when its other names go. */
  linkAside(node: Node): boolean;
  dropKept(): void;
}

/** Flags of a file that must not be there yet. */
export const CREATE_FILE =
  fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;
const KIND = { char: fs.constants.S_IFCHR, block: fs.constants.S_IFBLK, fifo: fs.constants.S_IFIFO } as const;

/** What a directory is that no layer has an entry for; BuildKit and Docker make it so as well. */
const IMPLICIT_DIR = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 } as Facts;

export interface TreeWriterDeps extends WriterDeps {
  /** Where another writer writes another union to the same place. */
  readonly shared?: SharedDirectories;
}

/** Directories that are in two unions, which agree on what there is at a path. */
export interface SharedDirectories {
  /** Whether both need it; it stays when one removes it. */
  has(path: string): boolean;
  /** Those that were made, with their modes. */
  readonly made: Map<string, number>;
}

/**
 * A writer for the nodes of one union.
 * @param target an existing directory; nothing outside it is written
 */
export function createTreeWriter(
  tree: Tree,
  target: string,
  privileged: boolean,
  deps: TreeWriterDeps,
): TreeWriter {
  const { shared } = deps;
  const prefix = target.endsWith('/') ? target : `${target}/`;
  const meta = createMetaWriter(privileged, deps);
  const kept: EntryRow[] = [];
  let warnedDevice = false;

  const isOnDisk = (node: Node): boolean => tree.diskMode(node) !== NOT_ON_DISK;
  const makeDir = (node: Node): void => {
    if (isOnDisk(node)) return;
    const parent = tree.parent(node);
    if (parent === undefined) {
      let mode = fs.statSync(fsPath(target)).mode & 0o7777;
      if ((mode & 0o2000) !== 0) {
        mode &= 0o777;
        fs.chmodSync(fsPath(target), mode);
      }
      tree.setDiskMode(node, mode);
      return;
    }
    const path = tree.path(node);
    const known = shared?.made.get(path);
    if (known !== undefined) {
      tree.setDiskMode(node, known);
      return;
    }
    makeDir(parent);
    const mode = ((tree.meta(node)?.mode ?? IMPLICIT_DIR.mode) & 0o777) | 0o700;
    fs.mkdirSync(fsPath(prefix + path), mode);
    const made = mode & ~meta.lostBits;
    tree.setDiskMode(node, made);
    if (shared?.has(path)) shared.made.set(path, made);
  };
  const makeParent = (node: Node): void => {
    const parent = tree.parent(node)!;
    if (!isOnDisk(parent)) makeDir(parent);
  };
  const keptPath = (place: number): string => `${prefix}.wh..wh.kept-${place}`;
  /** Where a file is written to. */
  const placeOf = (node: Node): string => {
    const place = tree.kept(tree.inode(node));
    return place === undefined ? prefix + tree.path(node) : keptPath(place);
  };
  const aside = (inode: EntryRow): string => {
    const place = kept.push(inode) - 1;
    tree.setKept(inode, place);
    return keptPath(place);
  };
  const open = (node: Node, { mode }: Facts, place: string): number => {
    if (tree.kept(tree.inode(node)) === undefined) {
      makeParent(node);
      tree.setDiskMode(node, mode);
    }
    return fs.openSync(fsPath(place), CREATE_FILE, mode);
  };
  const close = (fd: number, node: Node): void => {
    try {
      meta.file(fd, placeOf(node), tree.entry(node));
    } finally {
      fs.closeSync(fd);
    }
  };
  const file = (node: Node, content: Uint8Array): void => {
    const entry = tree.entry(node);
    const place = placeOf(node);
    const fd = open(node, entry, place);
    try {
      if (content.length > 0) writeAll(fd, content);
      meta.file(fd, place, entry);
    } finally {
      fs.closeSync(fd);
    }
  };
  const device = (entry: Facts, path: string, type: keyof typeof KIND): boolean => {
    const { mode, devmajor, devminor } = entry;
    try {
      deps.sys.mknod(path, KIND[type] | mode, devmajor, devminor);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      const isWhiteout = type === 'char' && devmajor === 0 && devminor === 0;
      // In a user namespace there are none, and a build does without them as Docker does there.
      if (privileged && inInitialNamespace() && !isWhiteout) throw noDevices(path, error);
      const why = isWhiteout
        ? 'to an overlay file system a device 0:0 is a file that was deleted'
        : 'they need root';
      if (!warnedDevice)
        deps.emit({
          type: 'warning',
          code: 'DEVICE_LEFT_OUT',
          text: `device nodes such as ${path.slice(prefix.length)} are left out, for ${why}`,
        });
      warnedDevice = true;
      return false;
    }
  };
  const remove = (node: Node): void => {
    if (!isOnDisk(node)) return;
    const path = tree.path(node);
    if (tree.isDir(node)) {
      tree.forEachChild(node, remove);
      if (!shared?.has(path)) fs.rmdirSync(fsPath(prefix + path));
    } else fs.unlinkSync(fsPath(prefix + path));
    tree.setDiskMode(node, NOT_ON_DISK);
  };
  /** Where an inode is: aside, or under a name that is on disk: nearly always the first one, else most likely the last. */
  const sourceOf = (inode: EntryRow): string | undefined => {
    const place = tree.kept(inode);
    if (place !== undefined) return keptPath(place);
    const first = tree.firstName(inode);
    const name = first !== undefined && isOnDisk(first) ? first : tree.findLastName(inode, isOnDisk);
    return name === undefined ? undefined : prefix + tree.path(name);
  };

  return {
    tree,
    file,
    open: (node) => open(node, tree.entry(node), placeOf(node)),
    write: writeAll,
    extend: (fd, size) => fs.ftruncateSync(fd, size),
    close,
    discard: (fd) => fs.closeSync(fd),
    dir: makeDir,
    remove,
    leaf: (node) => {
      const entry = tree.entry(node);
      if (entry.type === 'file') return file(node, new Uint8Array(0));
      makeParent(node);
      const path = prefix + tree.path(node);
      if (entry.type === 'symlink') {
        fs.symlinkSync(fsPath(entry.linkname), fsPath(path));
        meta.other(path, entry, undefined);
      } else if (device(entry, path, entry.type as keyof typeof KIND)) {
        meta.other(path, entry, entry.mode & ~meta.lostBits);
      } else return;
      tree.setDiskMode(node, entry.mode);
    },
    expect: (node) => {
      makeParent(node);
      tree.setDiskMode(node, tree.entry(node).mode);
    },
    refine: (node) => meta.other(prefix + tree.path(node), tree.entry(node), tree.diskMode(node)),
    link: (node) => {
      const source = sourceOf(tree.inode(node));
      if (source === undefined) return false;
      makeParent(node);
      fs.linkSync(fsPath(source), fsPath(prefix + tree.path(node)));
      tree.setDiskMode(node, tree.entry(node).mode);
      return true;
    },
    finishDir: (node) =>
      meta.other(
        node === tree.root ? target : prefix + tree.path(node),
        tree.meta(node) ?? IMPLICIT_DIR,
        tree.diskMode(node),
      ),
    keep: (node) => {
      const from = prefix + tree.path(node);
      fs.renameSync(fsPath(from), fsPath(aside(tree.inode(node))));
      tree.setDiskMode(node, NOT_ON_DISK);
    },
    setAside: (node) => void aside(tree.inode(node)),
    linkAside: (node) => {
      const inode = tree.inode(node);
      if (tree.kept(inode) !== undefined) return true;
      const source = sourceOf(inode);
      if (source === undefined) return false;
      fs.linkSync(fsPath(source), fsPath(aside(inode)));
      return true;
    },
    dropKept: () => {
      for (const place of kept.keys()) fs.unlinkSync(fsPath(keptPath(place)));
      kept.length = 0;
    },
  };
}

/** Writes all of `content`, at `position` or where the file stands; nearly always with one call. */
export function writeAll(fd: number, content: Uint8Array, position?: number): void {
  let at = 0;
  do {
    const where = position === undefined ? null : position + at;
    at += fs.writeSync(fd, content, at, content.length - at, where);
  } while (at < content.length);
}

function noDevices(path: string, cause: unknown): AppError {
  return toAppError(cause, 'PERMISSION', `cannot make the device node "${path}"`, { where: { path } });
}
