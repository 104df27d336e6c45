import type { Digest } from '../core/digest.ts';
import { type CompressPool } from './compress-pool.ts';
import type { Compression, LayerWriter } from './types.ts';
export interface LayerWriterOptions {
    readonly compression: Compression;
    /** Without one, frames are compressed in this thread. */
    readonly pool?: CompressPool;
    /** Takes the blob's bytes in order. */
    readonly sink: (chunk: Buffer) => void | Promise<void>;
    /** What is known beforehand, and is then not computed: for a layer whose digest is compared with a known one. */
    readonly known?: {
        readonly diffId: Digest;
        /** Of the content of files, by path. */
        readonly contents: ReadonlyMap<string, Digest>;
    };
}
/**
 * Makes a layer: an ordinary tar, cut at entries into frames of 4 MiB that are compressed alone, and for zstd a table of
 * contents behind them. The bytes depend on the entries only, not on how content is chunked nor on the threads.
 * Memory holds a few frames, however large the layer.
 */
export declare function createLayerWriter(options: LayerWriterOptions): LayerWriter;
