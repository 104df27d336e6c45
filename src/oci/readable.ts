import { Readable } from 'node:stream';
import { NETWORK_LIMITS, TooSlow } from '../core/network-limits.ts';

/** Bytes that a stream made here may hold ahead of its reader. */
const READ_AHEAD = 1024 * 1024;

/**
 * A byte stream over an async iterator. Destroying the stream aborts the signal that the iterator was made with at once,
 * even while the iterator waits for its own source.
 */
export function iteratedReadable(
  iterate: (signal: AbortSignal) => AsyncIterator<Uint8Array, void>,
  outer?: AbortSignal,
): Readable {
  const abort = new AbortController();
  const signal = outer === undefined ? abort.signal : AbortSignal.any([outer, abort.signal]);
  let iterator: AsyncIterator<Uint8Array, void> | undefined;
  return new Readable({
    highWaterMark: READ_AHEAD,
    read() {
      iterator ??= iterate(signal);
      iterator.next().then(
        (next) => this.push(next.done ? null : next.value),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      abort.abort();
      iterator?.return?.().catch(() => {});
      callback(error);
    },
  });
}

/** A stream that is opened on its first read. */
export function lazyReadable(open: () => Promise<Readable>): Readable {
  return iteratedReadable((signal) => passThrough(open, signal));
}

async function* passThrough(
  open: () => Promise<Readable>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const stream = await open();
  const stop = () => stream.destroy();
  signal.addEventListener('abort', stop);
  try {
    if (signal.aborted) stop();
    else for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * All bytes of a stream that is expected to be small; it is destroyed when it is not, or too slow.
 * @param ms milliseconds in which its end must come
 * @throws what `tooLong` makes when there are more than `limit` bytes; TooSlow
 */
export async function readAll(
  stream: Readable,
  limit: number,
  tooLong: () => Error,
  ms = NETWORK_LIMITS.documentMs,
): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  const late = new TooSlow(`its end did not come within ${ms / 1000} seconds`);
  const timer = Number.isFinite(ms) ? setTimeout(() => stream.destroy(late), ms) : undefined;
  try {
    for await (const part of stream) {
      length += (part as Buffer).length;
      if (length > limit) throw tooLong();
      parts.push(part as Buffer);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(parts, length);
}
