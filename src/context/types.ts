import type { Readable } from 'node:stream';
import type { Canonical } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import type { PathFacts } from '../sys/path-facts.ts';

export type TreeNodeType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo';

/** A file of a source tree, as COPY sees it. */
export interface TreeNode {
  /** Path below the source's root (path string, no leading slash); '' is the root itself. */
  readonly path: string;
  readonly type: TreeNodeType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly mtimeNsec: number;
  /** Target of a symlink, else ''. */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
  /** Equal for names of one inode with nlink > 1 in this tree; undefined for others. */
  readonly hardlink?: string;
  /** What lstat told of a regular file when it was listed, for checkUnchanged and contentDigest. */
  readonly version?: PathFacts;
}

/** One file to copy: where it comes from and where it goes, relative to the destination of the instruction. */
export interface CopyItem {
  readonly node: TreeNode;
  /** Path relative to the instruction's destination directory; '' when the destination itself is this node (a file copied to a file name, or the root of a copied directory). */
  readonly target: string;
  /** Which of the instruction's sources, or of what their wildcards match, gave it: each is copied for itself, in order. */
  readonly source: number;
}

/** A list that may make what is in it when it is asked for; an array is one, too. */
interface Listing<T> extends Iterable<T> {
  readonly length: number;
  /** @param index from 0 on; there is nothing at one that is too large */
  at(index: number): T | undefined;
}

/** Files of a tree. */
export type Nodes = Listing<TreeNode>;

/** Files to copy. */
export type CopyItems = Listing<CopyItem>;

/** Files that one step brings. */
export interface Brought {
  /** Of all together. */
  readonly bytes: number;
  /** May be read more than once. */
  readonly nodes: Iterable<TreeNode>;
}

/** A tree that files are copied from: the build context, a stage's root, an image, a git checkout, an unpacked archive. */
export interface SourceTree {
  /** Everything below `path` (itself included), sorted by path bytes, after excludes. Symlinks are not followed. */
  list(path: string): Promise<Nodes>;
  /** lstat after resolving symlinks in the parents inside the tree; undefined when it does not exist or is excluded. */
  stat(path: string): Promise<TreeNode | undefined>;
  open(node: TreeNode): Readable;
  /**
   * What `compute` gives, or what it gave when everything at these paths and below was in the very state in which it is now;
   * then nothing is listed.
   * @param question what is computed out of them, besides the paths
   * @param compute gets a tree that lists them as they were in that state
   */
  remembered?(
    paths: readonly string[],
    question: Canonical,
    compute: (tree: SourceTree) => Promise<Digest>,
  ): Promise<Digest>;
  /** To be called before contentDigest is asked of many files, so that these are hashed side by side; it changes no answer. */
  hashAhead?(nodes: Iterable<TreeNode>): Promise<void>;
  /** sha256 of a file's content, memoised where that is safe. */
  contentDigest(node: TreeNode): Promise<Digest>;
  /**
   * Whether files have room, their holes counted as if they were written: to be asked of all that one step brings, before any
   * is read.
   * @param disk where they are written to; where the tree is to be copied to in the end when left out
   * @throws AppError DISK_FULL
   */
  checkRoom?(files: Brought, disk?: string): void;
  /**
   * Opens a regular file that lies on this machine, where it does; no link on the way is followed.
   * @returns a descriptor to read from, which the caller closes
   * @throws AppError CONTEXT when it is no longer one
   */
  openFile?(node: TreeNode): number;
  /**
   * After a file's content was read: whether it is still the one that was listed and hashed.
   * @param file the descriptor that it was read from, of openFile
   * @throws AppError CONTEXT when it changed, since what was copied may then not be what its key says
   */
  checkUnchanged?(node: TreeNode, file?: number): void;
  /**
   * Host path, free of links, of the directory below which its regular files lie at their paths, where they are what openFile
   * opens.
   */
  plainRoot?(): string;
  /** For messages. */
  readonly name: string;
}
