/** How long the other side of a connection may take; times are in milliseconds. */
export interface NetworkLimits {
  /** A small document as a whole, from the request to its last byte: manifest, config, token, list of tags, headers. */
  readonly documentMs: number;
  /** Until the answer begins where a server may have much to do: for content, and to store a document. */
  readonly answerMs: number;
  /** What is left of an answer that nobody reads; then its connection is given up. */
  readonly leftoverMs: number;
  /** The least throughput of content: this many bytes in each such time of waiting for them; none in it is silence. */
  readonly windowMs: number;
  readonly windowBytes: number;
}

/**
 * Where nothing else is said. A document of 8 MiB, the largest that we take, comes in a minute at 140 KiB/s; the throughput
 * is a hundredth of what a telephone had thirty years ago, so that 128 connections may share it.
 */
export const NETWORK_LIMITS: NetworkLimits = {
  documentMs: 60_000,
  answerMs: 300_000,
  leftoverMs: 5_000,
  windowMs: 60_000,
  windowBytes: 60 * 1024,
};

/** The other side got on too slowly. Whoever catches it may try again, but not often: each try takes as long. */
export class TooSlow extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TooSlow';
  }
}

/** Whether an error is TooSlow, or has it as a cause. */
export function isTooSlow(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof TooSlow) return true;
  return false;
}

/**
 * The same chunks; the time in which the reader waits for them counts, that in which they wait for the reader does not.
 * @throws TooSlow when too few bytes come
 */
export async function* paced(
  chunks: AsyncIterable<Buffer>,
  { windowMs, windowBytes }: Pick<NetworkLimits, 'windowMs' | 'windowBytes'> = NETWORK_LIMITS,
): AsyncGenerator<Buffer, void> {
  const iterator = chunks[Symbol.asyncIterator]();
  let [waited, bytes] = [0, 0];
  try {
    for (;;) {
      const asked = performance.now();
      const next = await iterator.next();
      waited += performance.now() - asked;
      if (next.done) return;
      bytes += next.value.length;
      if (waited >= windowMs) {
        if (bytes < windowBytes)
          throw new TooSlow(`${bytes} bytes came in ${Math.round(waited / 1000)} seconds, which is too slow`);
        [waited, bytes] = [0, 0];
      }
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
}
