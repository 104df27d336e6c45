import type { LayerBlob, Toc, TocEntry, TocFrame } from './types.ts';
/** Tar bytes of a frame: small enough to be read alone, large enough to compress as well as a whole (1 to 3 % larger). */
export declare const FRAME_BYTES: number;
/** Memory that a decoded frame leaves unused: when Node's decoder has none left, it takes as much again. */
export declare const DECODED_SPARE: number;
/**
 * The tar bytes of a frame.
 * @param bytes the frame as it stands in the blob
 * @param onVerified called between the two halves of the work
 * @throws AppError CORRUPT when it does not match its digest or its length
 */
export declare function decodeFrame(bytes: Buffer, frame: TocFrame, onVerified?: () => void): Buffer;
/** The content of one file of a layer, reading only the frames that hold it. */
export declare function readEntryContent(blob: LayerBlob, toc: Toc, entry: TocEntry): AsyncGenerator<Buffer>;
