import { type WriterDeps } from './tree-writer-meta.ts';
import { type TreeNode } from './union-tree.ts';
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
export declare const CREATE_FILE: number;
export interface TreeWriterDeps extends WriterDeps {
    /** Directories that stay when they are to be removed, since another union needs them. */
    readonly keepsDir?: (path: string) => boolean;
}
/**
 * Nodes of several unions may be given, if they agree on what there is at a path; directories are shared.
 * @param target an existing directory; nothing outside it is written
 */
export declare function createTreeWriter(target: string, privileged: boolean, deps: TreeWriterDeps): TreeWriter;
/** Writes all of `content`, at `position` or where the file stands; nearly always with one call. */
export declare function writeAll(fd: number, content: Uint8Array, position?: number): void;
