import { type Emit } from '../../core/events.ts';
import type { FileLayerWriter } from '../../layer/file-layer-writer.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import type { Runner } from '../../sys/run.ts';
import type { Syscalls } from '../../sys/types.ts';
import type { ExtractRequest, ExtractResult, RootfsBackend, RootfsState, StagedLayer } from '../types.ts';
export interface InplaceDeps {
    /** A directory of this back end alone, below a path of `keep`, on the file system of the root; emptied first. */
    readonly dir: string;
    /** Where finished layers go; it outlives the back end. */
    readonly layerDir: string;
    /** What a process that was killed left to put right; outlives us. */
    readonly journalFile: string;
    /** Absolute paths that are never touched, besides mounts. */
    readonly keep: readonly string[];
    readonly syscalls: Syscalls;
    /** Runs commands in this very root. */
    readonly runner: Runner;
    readonly extract: (request: ExtractRequest) => Promise<ExtractResult>;
    readonly createLayerWriter: (file: string, compression: Compression) => FileLayerWriter;
    /** A layer of this build as one to extract. */
    readonly blobOf: (layer: StagedLayer) => LayerBlob;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
export interface InplaceBackend extends RootfsBackend {
    /** Makes the root file system this state, for good. */
    settle(state: RootfsState): Promise<void>;
}
/**
 * The back end that builds in the root file system of our own container, without the right to mount. Every stage is a
 * directory, in which COPY and WORKDIR write; for a RUN its entries are moved into the root and back again, so that it has
 * /proc and all mounts of the container. One step at a time.
 */
export declare function createInplaceBackend(deps: InplaceDeps): InplaceBackend;
