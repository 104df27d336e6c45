import type { Digest } from '../core/digest.ts';
import type { CopyItem, TreeNode } from './types.ts';
export interface TreeHashOptions {
    /** Whether owners count: they do for files that keep them (COPY --from). */
    readonly ownership: boolean;
    /** Where the files go, as the instruction has it: one that need not be a directory gets the sources one after the other. */
    readonly destination?: string;
    readonly contentDigest: (node: TreeNode) => Promise<Digest>;
}
/**
 * The digest of everything about files that a copy of them keeps: where they go, type, mode, size, content, link target,
 * device numbers, attributes, and which are names of one file. Times and the order on disk do not count. Whoever changes what
 * counts must change the number of the memo in answer-memo.ts too.
 */
export declare function treeHash(items: readonly CopyItem[], options: TreeHashOptions): Promise<Digest>;
