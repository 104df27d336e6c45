import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { ExtractRequest } from '../types.ts';
import type { ExtractProgress } from './progress.ts';
import type { TreeWriter } from './tree-writer.ts';
import type { TreeNode } from './union-tree.ts';
/** A layer with the files that are to be taken from it, by their place in the tar. */
export interface LayerContents {
    readonly blob: LayerBlob;
    readonly toc: Toc;
    readonly nodes: readonly TreeNode[];
}
/**
 * Fetches, verifies and decodes the frames that hold any of the files, and writes these.
 * @throws AppError CORRUPT, also for a frame of more than 64 MiB; what the store throws
 */
export declare function writeContents(layers: readonly LayerContents[], request: ExtractRequest, writer: TreeWriter, progress: ExtractProgress): Promise<void>;
