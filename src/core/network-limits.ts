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

/**
 * A git server that sends fewer bytes a second for this many seconds is given up. While it makes a large pack, it sends a
 * line of progress every second or so, and a byte a second where it was told to be quiet.
 */
export const GIT_LIMITS = { bytes: 16, seconds: 300 } as const;

/**
 * Memory that git may take, with all its processes: bytes, and the share of what there is. It holds the names of all files
 * of a commit at once, and a hundred objects are enough to name ten billion. The largest public repositories take less.
 */
export const GIT_MEMORY = { bytes: 4 * 1024 ** 3, share: 0.5 } as const;

/** Files of a commit that is checked out; the largest public repositories have less than half of them. */
export const GIT_FILES = 2_000_000;

/** What the limits are for, as phrases; docs/reference/limits.md is generated from them. */
export const NETWORK_TEXTS = {
  documentMs:
    'a small document from the request to its last byte, redirects included: manifest, config, token, a page of tags, the answer to a HEAD',
  answerMs: 'storing a manifest; the beginning of an answer with content; a whole list of tags',
  leftoverMs: 'the body of an error, and of what else nobody needs; then its connection is given up',
  window: 'content, such as a layer or a download of ADD; it goes on where it broke',
  git: 'a clone, or a fetch of ADD, by HTTP, SSH or `git://`',
  gitFiles: 'files of a commit that is cloned, or that ADD takes',
  gitMemory: 'the memory of git and all its processes',
} as const;

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
