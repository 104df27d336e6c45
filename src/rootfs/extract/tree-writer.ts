import fs from 'node:fs';
import { type AppError, toAppError } from '../../core/error.ts';
import { inInitialNamespace } from '../../core/id-map.ts';
import { fsPath } from '../../core/path-bytes.ts';
import type { LayerEntry } from '../../tar/types.ts';
import { createMetaWriter, type WriterDeps } from './tree-writer-meta.ts';
import { type Inode, NOT_ON_DISK, type TreeNode } from './union-tree.ts';

/**
 * Puts nodes of a union on disk, each at most once. All calls are synchronous. Parents are directories of the union that
 * this writer made itself, so no path ever leads through a symlink.
 */
export interface TreeWriter {
  /** A file with all its content. */
  file(node: TreeNode, content: Uint8Array): void;
  /** Opens a file whose content comes in parts: `write` them, then `close`. What is left out is a hole. */
  open(node: TreeNode): number;
  write(fd: number, content: Uint8Array, position: number): void;
  /** Makes a file that ends in a hole as long as it is to be. */
  extend(fd: number, size: number): void;
  close(fd: number, node: TreeNode): void;
  /** Closes a file that is not finished, after an error. */
  discard(fd: number): void;
  /** An empty file, symlink, device or fifo. */
  leaf(node: TreeNode): void;
  /** Makes the directories of a file that somebody else is about to write, and counts it as on disk. */
  expect(node: TreeNode): void;
  /** Gives a file that somebody else wrote all its metadata. */
  refine(node: TreeNode): void;
  /** Another name for an inode that is on disk under one of its names or as `kept`; false when it is not. */
  link(node: TreeNode): boolean;
  dir(node: TreeNode): void;
  /** A directory's owner, mode, attributes and times; after everything in it. */
  finishDir(node: TreeNode): void;
  /** Deletes a node and everything below it, as far as it is on disk. */
  remove(node: TreeNode): void;
  /** Moves a file out of the way, to be linked later and dropped with `dropKept`. */
  keep(node: TreeNode): void;
  /** A file that is about to be written is to lie aside, as with `keep`. */
  setAside(node: TreeNode): void;
  /** As `link`, but only so that the inode stays when its other names go. */
  linkAside(node: TreeNode): boolean;
  dropKept(): void;
}

/** Flags of a file that must not be there yet. */
export const CREATE_FILE =
  fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW;
const KIND = { char: fs.constants.S_IFCHR, block: fs.constants.S_IFBLK, fifo: fs.constants.S_IFIFO } as const;

/** What a directory is that no layer has an entry for; BuildKit and Docker make it so as well. */
const IMPLICIT_DIR = { mode: 0o755, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 } as LayerEntry;

export interface TreeWriterDeps extends WriterDeps {
  /** Directories that stay when they are to be removed, since another union needs them. */
  readonly keepsDir?: (path: string) => boolean;
}

/**
 * Nodes of several unions may be given, if they agree on what there is at a path; directories are shared.
 * @param target an existing directory; nothing outside it is written
 */
export function createTreeWriter(target: string, privileged: boolean, deps: TreeWriterDeps): TreeWriter {
  const prefix = target.endsWith('/') ? target : `${target}/`;
  const meta = createMetaWriter(privileged, deps);
  const kept: Inode[] = [];
  /** Directories that were made, with their modes. */
  const made = new Map<string, number>();
  let warnedDevice = false;

  const makeDir = (node: TreeNode): void => {
    if (node.diskMode !== NOT_ON_DISK) return;
    if (!node.parent) {
      node.diskMode = fs.statSync(fsPath(target)).mode & 0o7777;
      if ((node.diskMode & 0o2000) === 0) return;
      node.diskMode &= 0o777;
      fs.chmodSync(fsPath(target), node.diskMode);
      return;
    }
    const known = made.get(node.path);
    if (known !== undefined) {
      node.diskMode = known;
      return;
    }
    makeDir(node.parent);
    const mode = ((node.meta?.mode ?? IMPLICIT_DIR.mode) & 0o777) | 0o700;
    fs.mkdirSync(fsPath(prefix + node.path), mode);
    node.diskMode = mode & ~meta.lostBits;
    made.set(node.path, node.diskMode);
  };
  /** Where a file is written to. */
  const placeOf = ({ path, inode }: TreeNode): string => prefix + (inode!.kept ?? path);
  const aside = (inode: Inode): string => {
    inode.kept = `.wh..wh.kept-${kept.length}`;
    kept.push(inode);
    return prefix + inode.kept;
  };
  const open = (node: TreeNode): number => {
    const { entry, kept: lies } = node.inode!;
    if (lies === undefined) {
      if (node.parent!.diskMode === NOT_ON_DISK) makeDir(node.parent!);
      node.diskMode = entry.mode;
    }
    return fs.openSync(fsPath(placeOf(node)), CREATE_FILE, entry.mode);
  };
  const close = (fd: number, node: TreeNode): void => {
    try {
      meta.file(fd, placeOf(node), node.inode!.entry);
    } finally {
      fs.closeSync(fd);
    }
  };
  const file = (node: TreeNode, content: Uint8Array): void => {
    const fd = open(node);
    try {
      if (content.length > 0) writeAll(fd, content);
      meta.file(fd, placeOf(node), node.inode!.entry);
    } finally {
      fs.closeSync(fd);
    }
  };
  const device = (node: TreeNode, path: string, type: keyof typeof KIND): boolean => {
    const { mode, devmajor, devminor } = node.inode!.entry;
    try {
      deps.sys.mknod(path, KIND[type] | mode, devmajor, devminor);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
      // In a user namespace there are none, and a build does without them as Docker does there.
      if (privileged && inInitialNamespace()) throw noDevices(path, error);
      if (!warnedDevice)
        deps.emit({
          type: 'warning',
          code: 'DEVICE_LEFT_OUT',
          text: `device nodes such as ${node.path} are left out, for they need root`,
        });
      warnedDevice = true;
      return false;
    }
  };
  const remove = (node: TreeNode): void => {
    if (node.diskMode === NOT_ON_DISK) return;
    const path = fsPath(prefix + node.path);
    if (node.children) {
      for (const child of node.children.values()) remove(child);
      if (!deps.keepsDir?.(node.path)) {
        fs.rmdirSync(path);
        made.delete(node.path);
      }
    } else fs.unlinkSync(path);
    node.diskMode = NOT_ON_DISK;
  };

  return {
    file,
    open,
    write: writeAll,
    extend: (fd, size) => fs.ftruncateSync(fd, size),
    close,
    discard: (fd) => fs.closeSync(fd),
    dir: makeDir,
    remove,
    leaf: (node) => {
      const { entry } = node.inode!;
      if (entry.type === 'file') return file(node, new Uint8Array(0));
      makeDir(node.parent!);
      const path = prefix + node.path;
      if (entry.type === 'symlink') {
        fs.symlinkSync(fsPath(entry.linkname), fsPath(path));
        meta.other(path, entry, undefined);
      } else if (device(node, path, entry.type as keyof typeof KIND)) {
        meta.other(path, entry, entry.mode & ~meta.lostBits);
      } else return;
      node.diskMode = entry.mode;
    },
    expect: (node) => {
      if (node.parent!.diskMode === NOT_ON_DISK) makeDir(node.parent!);
      node.diskMode = node.inode!.entry.mode;
    },
    refine: (node) => meta.other(prefix + node.path, node.inode!.entry, node.diskMode),
    link: (node) => {
      const { names, kept: aside } = node.inode!;
      const source = aside ?? onDisk(names);
      if (source === undefined) return false;
      makeDir(node.parent!);
      fs.linkSync(fsPath(prefix + source), fsPath(prefix + node.path));
      node.diskMode = node.inode!.entry.mode;
      return true;
    },
    finishDir: (node) =>
      meta.other(node.parent ? prefix + node.path : target, node.meta ?? IMPLICIT_DIR, node.diskMode),
    keep: (node) => {
      const from = prefix + node.path;
      fs.renameSync(fsPath(from), fsPath(aside(node.inode!)));
      node.diskMode = NOT_ON_DISK;
    },
    setAside: (node) => void aside(node.inode!),
    linkAside: ({ inode }) => {
      if (inode!.kept !== undefined) return true;
      const source = onDisk(inode!.names);
      if (source === undefined) return false;
      fs.linkSync(fsPath(prefix + source), fsPath(aside(inode!)));
      return true;
    },
    dropKept: () => {
      for (const inode of kept.splice(0)) fs.unlinkSync(fsPath(prefix + inode.kept!));
    },
  };
}

/** The path of a name that is on disk: nearly always the first one, else most likely the last. */
function onDisk(names: readonly TreeNode[]): string | undefined {
  const is = ({ diskMode }: TreeNode): boolean => diskMode !== NOT_ON_DISK;
  const first = names[0];
  return (first && is(first) ? first : names.findLast(is))?.path;
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
