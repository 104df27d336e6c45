import type { Readable } from 'node:stream';

/** Chunks of a stream, of which one may give back what was too much. */
export interface Input {
  /** The next bytes, at least one; undefined at the end. @throws the stream's error, each time again */
  next(): Promise<Buffer | undefined>;
  unread(bytes: Buffer): void;
  /** The next `count` bytes or all that there are, which stay unread. */
  peek(count: number): Promise<Buffer>;
  /** Passes over bytes that were looked at before. */
  skip(count: number): Promise<void>;
  /** Reads to the end. @throws the stream's error */
  drain(): Promise<void>;
  /** Throws the stream's error, if it failed. */
  rethrow(): void;
}

/** @param stream is read through the result alone from then on */
export function createInput(stream: Readable): Input {
  const iterator = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let held: Buffer[] = [];
  let failure: { readonly error: unknown } | undefined;
  const rethrow = (): void => {
    if (failure) throw failure.error;
  };
  const pull = async (): Promise<Buffer | undefined> => {
    rethrow();
    for (;;) {
      try {
        const { done, value } = await iterator.next();
        if (done) return undefined;
        if (value.length > 0) return value;
      } catch (error) {
        failure = { error };
        throw error;
      }
    }
  };
  const next = async (): Promise<Buffer | undefined> => held.pop() ?? pull();
  const peek = async (count: number): Promise<Buffer> => {
    const parts: Buffer[] = [];
    let length = 0;
    while (length < count) {
      const part = await next();
      if (!part) break;
      parts.push(part);
      length += part.length;
    }
    const all = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    if (all.length > 0) held.push(all);
    return all.subarray(0, count);
  };
  return {
    next,
    unread: (bytes) => void held.push(bytes),
    peek,
    skip: async (count) => {
      for (let left = count; left > 0; ) {
        const part = await next();
        if (!part) return;
        if (part.length > left) held.push(part.subarray(left));
        left -= part.length;
      }
    },
    drain: async () => {
      held = [];
      while (await pull());
    },
    rethrow,
  };
}
