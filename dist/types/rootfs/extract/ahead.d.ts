import type { LayerBlob, Toc } from '../../layer/types.ts';
import type { LayerContents } from './contents.ts';
import { type Union } from './union.ts';
/** What the layers above some others make of these, found out before the others are read. */
export interface UpperLayers {
    /** Files of the upper layers that no later one of them replaces: they are in the union whatever lies below. */
    readonly contents: readonly LayerContents[];
    /** Whether the upper layers put something else in the place of a lower layer's file, or nothing. */
    hides(path: string): boolean;
    /** Whether a path is a directory of the upper layers. */
    hasDir(path: string): boolean;
    /**
     * Counts the files of `contents` as on disk in the union of all layers.
     * @throws AppError INTERNAL when one of them is not in it
     */
    settle(union: Union): void;
}
/**
 * Parent directories of an entry are found in its own layer and no entry's effect on upper layers depends on lower ones, so
 * the upper layers can be united alone. A hard link into a lower layer stands for itself meanwhile.
 * @returns undefined for layers that this does not explain; uniting all of them says what is wrong
 */
export declare function uniteUpper(layers: readonly {
    readonly blob: LayerBlob;
    readonly toc: Toc;
}[]): UpperLayers | undefined;
