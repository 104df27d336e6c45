import type { Emit } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import type { ExtractRequest } from '../../rootfs/types.ts';
/**
 * Refuses a directory that holds anything, before the build spends its time; a root file system is only ever written
 * into a directory that is ours.
 * @throws AppError UNSAFE, OUTPUT
 */
export declare function checkRootfsTarget(path: string): void;
/** Writes the layers' union into a new directory; what was half-written is removed on failure. */
export declare function writeRootfs(path: string, layers: readonly LayerBlob[], deps: {
    readonly extract: (request: ExtractRequest) => Promise<unknown>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}): Promise<void>;
