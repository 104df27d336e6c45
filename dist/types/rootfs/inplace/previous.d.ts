import type { LayerBlob } from '../../layer/types.ts';
/** What a path was in the layers below a step: the hex sha256 of a file, the target of a symlink. */
export interface PreviousContent {
    readonly sha256?: string;
    readonly linkname?: string;
}
/**
 * Looks up in layers what paths had as content before a step changed them in place. Layers with a table of contents are
 * not read; of others all files of a wanted size are hashed.
 * @param wanted sizes by path
 * @returns nothing for a path that the layers do not have
 */
export declare function previousContent(layers: readonly LayerBlob[], wanted: ReadonlyMap<string, number>): Promise<Map<string, PreviousContent>>;
