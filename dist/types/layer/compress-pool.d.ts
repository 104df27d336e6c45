import { type Digest } from '../core/digest.ts';
import type { Compression } from './types.ts';
export interface CompressedFrame {
    /** Of a slot, they are valid until it is released. */
    readonly bytes: Buffer;
    readonly digest: Digest;
}
/** Memory of one frame, shared with the workers. */
export interface FrameSlot {
    /** FRAME_BYTES to fill. */
    readonly input: Buffer;
    /** Compresses the first `length` bytes of the input; once only. */
    compress(length: number, compression: Compression): Promise<CompressedFrame>;
    /** Gives the memory back; whoever took a slot must, when the frame is used or given up. */
    release(): void;
}
/** Compresses frames, several at once; the result depends on the bytes alone. All memory is taken once. */
export interface CompressPool {
    /** A free slot; undefined when there is none, or somebody has waited for one before. */
    tryTake(): FrameSlot | undefined;
    /** Waits for a slot. A caller that holds slots itself must not, or all may wait for each other. */
    take(): Promise<FrameSlot>;
    close(): Promise<void>;
}
/**
 * One frame, compressed in this thread. The one-shot call is used since the output of zlib's streams depends on how
 * their input is cut (nodejs/node#66078).
 */
export declare function compressFrame(frame: Uint8Array, compression: Compression): CompressedFrame;
/**
 * Room for all that may come out of a frame (ZSTD_COMPRESSBOUND of zstd.h; zlib needs less). Zstd then writes straight into
 * it, which is faster than in parts and finds a little more, so the room is a part of the layer format too.
 */
export declare function outputBound(length: number): number;
/** What a worker is told: the first `length` bytes of slot `slot` are to be compressed. */
export interface CompressOrder {
    readonly slot: number;
    readonly length: number;
    readonly compression: Compression;
}
export interface CompressAnswer {
    readonly slot: number;
    readonly length: number;
    readonly digest: string;
    readonly error?: string;
}
/** Where a slot's input and output lie in the memory that all threads share. */
export declare function slotViews(memory: SharedArrayBuffer, slot: number): {
    input: Buffer;
    output: Buffer;
};
/**
 * Worker threads that compress; started with the first frame that fills a slot, so that a small layer, whose writer
 * compresses it itself, never pays for them. `close` must be called, or the process stays.
 */
export declare function createCompressPool(options?: {
    readonly threads?: number;
}): CompressPool;
