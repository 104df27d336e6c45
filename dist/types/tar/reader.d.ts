import type { LayerEntry } from './types.ts';
/** An entry of a tar stream with its content, to be read before the next entry is asked for; what is left is skipped. */
export interface TarItem {
    readonly entry: LayerEntry;
    /** Holes of sparse files are zeros that `isHole` (sparse.ts) tells. */
    readonly content: AsyncIterable<Buffer>;
    /** Bytes of the content that are not in the archive: the holes of a sparse file. */
    readonly holes: number;
}
/**
 * Reads a tar stream in order: ustar, PAX, GNU long names, GNU and PAX sparse files (as their full content), base-256
 * numbers, devices, hard links. Where formats leave room, it reads what Go's archive/tar and with it Docker reads: a
 * global PAX header has no effect, of several headers of a kind the last one counts, and a GNU long name wins over PAX.
 * @param what names the layer in errors
 * @param onEnd called at the end of the archive, before what follows it is passed over
 * @throws AppError CORRUPT for anything that is not tar, is cut off, leaves the root, or goes beyond LIMITS
 */
export declare function readTar(chunks: AsyncIterable<Buffer>, what: string, onEnd?: () => void): AsyncGenerator<TarItem>;
