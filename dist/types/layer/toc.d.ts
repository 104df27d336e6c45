import type { ReadRange, Toc, TocPosition } from './types.ts';
/** The skippable frame of a table, and where the table will stand when the frame is written at `offset`. */
export declare function encodeToc(toc: Toc, offset: number): {
    readonly frame: Buffer;
    readonly position: TocPosition;
};
/**
 * Reads a layer's table of contents, from its position in a record, or from the footer at the end of the blob.
 * @throws AppError CORRUPT when it is not there, does not match its digest, or cannot be decoded
 */
export declare function readToc(readRange: ReadRange, at: TocPosition | {
    readonly blobSize: number;
}): Promise<Toc>;
