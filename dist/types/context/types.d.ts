import type { Readable } from 'node:stream';
import type { Canonical } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
export type TreeNodeType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo';
/** A state of a file. */
export interface FileVersion {
    /** Equal only for the same state of the same file. */
    readonly key: string;
    /** sha256 of its content, where it is remembered. */
    readonly digest?: Digest;
}
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
    /** What a regular file's inode looked like when it was listed, for checkUnchanged and contentDigest. */
    readonly version?: FileVersion;
}
/** One file to copy: where it comes from and where it goes, relative to the destination of the instruction. */
export interface CopyItem {
    readonly node: TreeNode;
    /** Path relative to the instruction's destination directory; '' when the destination itself is this node (a file copied to a file name, or the root of a copied directory). */
    readonly target: string;
    /** Which of the instruction's sources, or of what their wildcards match, gave it: each is copied for itself, in order. */
    readonly source: number;
}
/** A tree that files are copied from: the build context, a stage's root, an image, a git checkout, an unpacked archive. */
export interface SourceTree {
    /** Everything below `path` (itself included), sorted by path bytes, after excludes. Symlinks are not followed. */
    list(path: string): Promise<readonly TreeNode[]>;
    /** lstat after resolving symlinks in the parents inside the tree; undefined when it does not exist or is excluded. */
    stat(path: string): Promise<TreeNode | undefined>;
    open(node: TreeNode): Readable;
    /**
     * What `compute` gives, or what it gave when everything at these paths and below was in the very state in which it is now;
     * then nothing is listed.
     * @param question what is computed out of them, besides the paths
     * @param compute gets a tree that lists them as they were in that state
     */
    remembered?(paths: readonly string[], question: Canonical, compute: (tree: SourceTree) => Promise<Digest>): Promise<Digest>;
    /** sha256 of a file's content, memoised where that is safe. */
    contentDigest(node: TreeNode): Promise<Digest>;
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
    /** For messages. */
    readonly name: string;
}
