import type { LayerEntry } from './types.ts';
/** An entry of a tar stream with its content, to be read before the next entry is asked for; what is left is skipped. */
export interface TarItem {
    readonly entry: LayerEntry;
    readonly content: AsyncIterable<Buffer>;
}
/**
 * Reads a tar stream in order: ustar, PAX, GNU long names, GNU and PAX sparse files (as their full content), base-256
 * numbers, devices, hard links.
 * @param what names the layer in errors
 * @throws AppError CORRUPT for anything that is not tar, is cut off, or leaves the root
 */
export declare function readTar(chunks: AsyncIterable<Buffer>, what: string): AsyncGenerator<TarItem>;
