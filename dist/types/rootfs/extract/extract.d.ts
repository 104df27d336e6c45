import type { Syscalls } from '../../sys/types.ts';
import type { ExtractRequest, ExtractResult } from '../types.ts';
export interface ExtractDeps {
    readonly sys: Pick<Syscalls, 'mknod' | 'setXattr' | 'lutimes'>;
    /** Compressed bytes of streamed layers from which on the others are written beside them; for tests. */
    readonly overlapFrom?: number;
}
/**
 * Writes the union of layers into an empty directory. Layers with a table of contents are united first and each path
 * that is left is written once; up to the last layer without one, layers are streamed in order, and meanwhile the files of
 * those above are written that nothing below can touch. Nothing is fsynced. After an error the target is incomplete, and
 * the caller's to delete.
 * @throws AppError CORRUPT when a layer does not match its digest or holds what no layer may hold, naming layer and store;
 * PERMISSION, DISK_FULL, and what the store throws
 */
export declare function extractLayers(request: ExtractRequest, deps: ExtractDeps): Promise<ExtractResult>;
