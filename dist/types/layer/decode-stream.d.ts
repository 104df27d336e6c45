import type { Readable } from 'node:stream';
export interface DecodeOptions {
    /** Bytes are valid only until the next ones are asked for, which keeps memory small. */
    readonly brief?: boolean;
}
/**
 * The plain bytes of a layer. The compression is told from the first bytes, whatever the media type says, as Docker
 * does; gzip with several members and zstd with several or skippable frames are read to their end.
 * @param what names the layer in errors
 * @throws AppError CORRUPT from the iteration when the bytes cannot be decoded; errors of `stream` as they are
 */
export declare function decodeStream(stream: Readable, what: string, { brief }?: DecodeOptions): AsyncGenerator<Buffer>;
