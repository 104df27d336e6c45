import type { LayerBlob } from '../../layer/types.ts';
import type { Syscalls } from '../../sys/types.ts';
export interface StackDeps {
    readonly syscalls: Pick<Syscalls, 'listXattrs' | 'getXattr' | 'setXattr' | 'lutimes'>;
    /** Writes the union of layers into an empty directory. */
    readonly extract: (layers: readonly LayerBlob[], target: string) => Promise<unknown>;
}
/**
 * Writes layers into a directory of their own that an overlay mount puts on top of `below`, so that what lies below is not
 * written again. Only for layers that say all of themselves: with tables of contents, without whiteouts, and with no
 * directory in the place of something else.
 * @param below gives a root directory with the layers below; only asked for when the layers are such
 * @returns whether it was done; if not, nothing is written
 * @throws AppError as extractLayers does, naming the layer
 */
export declare function extractOnTop(layers: readonly LayerBlob[], below: () => Promise<string>, target: string, { syscalls, extract }: StackDeps): Promise<boolean>;
