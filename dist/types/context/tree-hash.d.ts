import type { Digest } from '../core/digest.ts';
import { type KeyTable } from '../core/key-table.ts';
import type { ChangeMode } from './chmod.ts';
import type { CopyItem, TreeNode, TreeNodeType } from './types.ts';
export interface TreeHashOptions {
    /** Whether owners count: they do for files that keep them (COPY --from). */
    readonly ownership: boolean;
    /** What becomes of modes (--chmod); they are kept when left out. */
    readonly chmod?: ChangeMode;
    /** Where the files go, as the instruction has it: one that need not be a directory gets the sources one after the other. */
    readonly destination?: string;
    readonly contentDigest: (node: TreeNode) => Promise<Digest>;
}
/** What the tables cannot tell by an item alone. */
interface ItemContext extends Pick<TreeHashOptions, 'ownership'> {
    readonly chmod: ChangeMode | undefined;
    /** Of a file. */
    readonly content: Digest | undefined;
    /** The number of the file that it is one of several names of. */
    readonly group: number | undefined;
    /** Whether it counts which source an item is from. */
    readonly inOrder: boolean;
}
/** Tables of the items of a tree, by the type of their node; `top` is that of a directory that is named itself. */
export declare const ITEM_TABLES: {
    readonly [T in TreeNodeType | 'top']: KeyTable<CopyItem, ItemContext>;
};
/**
 * The digest of everything about files that a copy of them keeps, as ITEM_TABLES say. Times and the order on disk do not
 * count. Whoever changes what counts must change the number of the memo in answer-memo.ts too.
 */
export declare function treeHash(items: readonly CopyItem[], options: TreeHashOptions): Promise<Digest>;
export {};
