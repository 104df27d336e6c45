import { AppError } from '../core/error.ts';

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
  /** Gives the stream up, so that whoever makes its chunks ends too; nothing is read any more. */
  close(): Promise<void>;
}

/** @param what names the stream in errors */
export function createByteSource(chunks: AsyncIterable<Buffer>, what: string): ByteSource {
  const iterator = chunks[Symbol.asyncIterator]();
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;

  /** Makes the present chunk non-empty; false at the end. */
  const fill = async (): Promise<boolean> => {
    while (at === chunk.length) {
      const next = await iterator.next();
      if (next.done) return false;
      chunk = next.value;
      at = 0;
    }
    return true;
  };
  const cutOff = (): AppError => new AppError('CORRUPT', `${what} ends in the middle of an entry`);
  /** Up to `count` bytes without copying. */
  const some = async (count: number): Promise<Buffer> => {
    if (at === chunk.length && !(await fill())) throw cutOff();
    const part = chunk.subarray(at, Math.min(at + count, chunk.length));
    at += part.length;
    return part;
  };
  const read = async (count: number): Promise<Buffer> => {
    if (count === 0) return Buffer.alloc(0);
    const whole = Buffer.allocUnsafe(count);
    let filled = 0;
    while (filled < count) filled += (await some(count - filled)).copy(whole, filled);
    return whole;
  };
  const skip = async (count: number): Promise<void> => {
    for (let left = count; left > 0; ) left -= (await some(left)).length;
  };
  return {
    read,
    skip,
    skipPadding: async (count) => {
      for (let left = count; left > 0 && (await fill()); ) left -= (await some(left)).length;
    },
    tryRead: async (count) => ((await fill()) ? read(count) : undefined),
    take: (count) => {
      let left = count;
      return {
        left: () => left,
        read: async (wanted) => {
          if (wanted > left) throw cutOff();
          left -= wanted;
          return read(wanted);
        },
        skipRest: async () => {
          const rest = left;
          left = 0;
          await skip(rest);
        },
        chunks: async function* () {
          while (left > 0) {
            const part = await some(left);
            left -= part.length;
            yield part;
          }
        },
      };
    },
    drain: async () => {
      while (await fill()) at = chunk.length;
    },
    close: async () => {
      await iterator.return?.();
    },
  };
}
