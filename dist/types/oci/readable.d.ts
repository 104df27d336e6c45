import { Readable } from 'node:stream';
/**
 * A byte stream over an async iterator. Destroying the stream aborts the signal that the iterator was made with at once,
 * even while the iterator waits for its own source.
 */
export declare function iteratedReadable(iterate: (signal: AbortSignal) => AsyncIterator<Uint8Array, void>, outer?: AbortSignal): Readable;
/** A stream that is opened on its first read. */
export declare function lazyReadable(open: () => Promise<Readable>): Readable;
/**
 * All bytes of a stream that is expected to be small; it is destroyed when it is not, or too slow.
 * @param ms milliseconds in which its end must come
 * @throws what `tooLong` makes when there are more than `limit` bytes; TooSlow
 */
export declare function readAll(stream: Readable, limit: number, tooLong: () => Error, ms?: number): Promise<Buffer>;
