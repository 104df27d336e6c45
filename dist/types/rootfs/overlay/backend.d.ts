import { type Emit } from '../../core/events.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression } from '../../layer/types.ts';
import type { Runner } from '../../sys/run.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { ExtractRequest, RootfsBackend } from '../types.ts';
export interface OverlayDeps {
    /**
     * A directory that is this back end's alone, not on an overlay itself; its path should be short. The
     * caller deletes it after `dispose`.
     */
    readonly workDir: string;
    readonly syscalls: Syscalls;
    readonly runner: Runner;
    readonly extract: (request: ExtractRequest) => Promise<unknown>;
    /** As OverlayBasesDeps. */
    readonly sharedBases?: ReadonlySet<string>;
    readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/**
 * The back end that builds into directories with overlay mounts: every step's upper directory is its layer. Layers are
 * materialised once, on top of what already holds those below, and states are such bases and the upper directories above.
 */
export declare function createOverlayBackend(deps: OverlayDeps): RootfsBackend;
