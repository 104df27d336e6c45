import type { Readable } from 'node:stream';
export interface DecodeOptions {
    /** Bytes are valid only until the next ones are asked for, which keeps memory small. */
    readonly brief?: boolean;
    /**
     * Whether the reader has all that it wants. What cannot be decoded from then on ends the bytes without an error, as
     * for Docker; errors of the stream are errors still.
     */
    readonly sated?: () => boolean;
}
/**
 * The plain bytes of a layer. The compression is told from the first bytes, whatever the media type says, as Docker
 * does; gzip with several members and zstd with several or skippable frames are read to their end. What follows the last
 * member of gzip and is none itself, such as padding, is passed over. The stream is read to its end in any case, unless
 * the iteration is given up.
 * @param what names the layer in errors
 * @throws AppError CORRUPT from the iteration when the bytes cannot be decoded; errors of `stream` as they are
 */
export declare function decodeStream(stream: Readable, what: string, { brief, sated }?: DecodeOptions): AsyncGenerator<Buffer>;
