/** A limited part of a byte source. */
export interface ByteBody {
    /** What is left of the part, without copying: as long valid as the chunks of the stream. */
    chunks(): AsyncGenerator<Buffer>;
    /** Exactly `count` bytes of it. */
    read(count: number): Promise<Buffer>;
    skipRest(): Promise<void>;
    readonly left: () => number;
}
/** Reads exact counts from a stream of chunks of any size. */
export interface ByteSource {
    /** A copy of the next bytes. @throws AppError CORRUPT when the stream ends first */
    read(count: number): Promise<Buffer>;
    /** As read, but undefined when the stream is at its end already. */
    tryRead(count: number): Promise<Buffer | undefined>;
    skip(count: number): Promise<void>;
    /** Skips padding; some writers leave that of the last entry out, and the end of the archive too. */
    skipPadding(count: number): Promise<void>;
    /** The next `count` bytes as a part; to be consumed before anything else is read. */
    take(count: number): ByteBody;
    /** Reads to the end, so that whoever verifies the stream sees all of it. */
    drain(): Promise<void>;
}
/** @param what names the stream in errors */
export declare function createByteSource(chunks: AsyncIterable<Buffer>, what: string): ByteSource;
