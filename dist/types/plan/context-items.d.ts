import type { ChangeMode } from '../context/chmod.ts';
import type { CopyItem, SourceTree } from '../context/types.ts';
import type { Canonical } from '../core/canonical.ts';
import type { Digest } from '../core/digest.ts';
import type { ListItems } from './types.ts';
/**
 * All of a path of a tree as items relative to it: a file is one item with the target ''. A link that is named is followed
 * inside the tree, so that what is mounted is never a link.
 * @throws AppError CONTEXT when the path does not exist
 */
export declare function contextItems(tree: SourceTree, path: string): Promise<CopyItem[]>;
/** A path of a context as its tree has it. */
export declare function treePath(path: string): string;
/** What an instruction makes of files. */
export interface Placing {
    /** See TreeHashOptions. */
    readonly destination?: string;
    readonly chmod?: ChangeMode;
}
/** The hash that stands for files of a tree in a key: owners do not count, since COPY and ADD set them. */
export declare function hashItems(tree: SourceTree, items: readonly CopyItem[], placing?: Placing): Promise<Digest>;
/** What is asked of a tree. */
export interface ItemsQuestion {
    /** Paths of the tree on which alone the list depends, with all below them; undefined when they are not known. */
    readonly paths: readonly string[] | undefined;
    /** Whatever else the list depends on. */
    readonly question: Canonical;
    readonly list: (tree: SourceTree) => Promise<readonly CopyItem[]>;
    readonly placing?: Placing;
}
/** Files of a tree by their hash. While the tree remembers that, they are listed only where somebody wants to have them. */
export declare function hashedItems(tree: SourceTree, { paths, question, list, placing }: ItemsQuestion): Promise<{
    readonly tree: SourceTree;
    readonly items: ListItems;
    readonly treeHash: Digest;
}>;
