import type { LayerEntry } from '../../tar/types.ts';
import { type TreeNode } from './union-tree.ts';
/** What happens to the tree while entries are applied, for a caller that mirrors it on disk. */
export interface UnionEvents {
    /** A node and all below it left the tree. */
    readonly removed?: (node: TreeNode) => void;
    /** A whiteout of a path, or an opaque directory: whatever lower layers have there, or below, is not seen. */
    readonly hidden?: (path: string, what: 'path' | 'below') => void;
    /** Layers below are not known: a hard link to what no layer has may be one to theirs, and stays as it is. */
    readonly partial?: boolean;
}
/** The union of layers, in memory. */
export interface Union {
    readonly root: TreeNode;
    /** Files that entries brought so far, whether or not they are still there. */
    fileCount(): number;
    /** Begins the next layer and returns its index. */
    beginLayer(): number;
    /**
     * Applies the next entry of the layer. Returns the node of a file, symlink, device or hard link that is now in the tree;
     * undefined for directories and whiteouts.
     * @throws AppError CORRUPT for an entry that no layer may hold
     */
    apply(entry: LayerEntry): TreeNode | undefined;
    endLayer(): void;
}
/**
 * A union with the outcome of an overlay mount in which every layer was unpacked to a directory of its own (OCI image spec,
 * "Representing Changes"):
 * - symlinks in a parent path are followed when the same layer has them; one of a lower layer is replaced by a directory;
 * - a directory over a directory merges, and the topmost layer with an entry for it gives it its metadata; anything else
 *   replaces what it finds;
 * - whiteouts and opaque directories hide what lower layers have, never what the same layer has;
 * - a hard link shares the inode of its target, in its own layer or else below, whatever becomes of the target later.
 */
export declare function createUnion(events?: UnionEvents): Union;
