import type { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { AppError } from '../core/error.ts';
import { release } from '../core/release.ts';

/** Bytes that a decoder hands on at a time: every chunk costs a turn of the event loop. */
const DECODE_CHUNK = 1024 * 1024;
const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

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
export async function* decodeStream(
  stream: Readable,
  what: string,
  { brief = false }: DecodeOptions = {},
): AsyncGenerator<Buffer> {
  const { first, rest } = await peek(stream, 4);
  const kind = compressionOf(first);
  if (kind === 'none') {
    yield* rest;
    return;
  }
  const decoder =
    kind === 'gzip'
      ? createGunzip({ chunkSize: DECODE_CHUNK })
      : createZstdDecompress({ chunkSize: DECODE_CHUNK });
  let failure: unknown;
  const feeding = feed(rest, decoder).catch((error: unknown) => {
    failure = error;
    decoder.destroy(error as Error);
  });
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      yield chunk;
      if (brief) release(chunk);
    }
    await feeding;
  } catch (cause) {
    if (failure !== undefined) throw failure;
    throw new AppError('CORRUPT', `${what} cannot be decoded as ${kind}`, { cause });
  } finally {
    decoder.destroy();
    stream.destroy();
  }
  if (failure !== undefined) throw failure;
}

/** What the first bytes of a layer say about its compression. */
function compressionOf(first: Buffer): 'gzip' | 'zstd' | 'none' {
  if (first.subarray(0, 2).equals(GZIP)) return 'gzip';
  if (first.subarray(0, 4).equals(ZSTD)) return 'zstd';
  // A skippable frame may stand before the first frame of zstd (RFC 8878, section 3.1.2).
  const skippable = first.length >= 4 && first.readUInt32LE(0) >>> 4 === 0x184d2a5;
  return skippable ? 'zstd' : 'none';
}

async function feed(chunks: AsyncIterable<Buffer>, decoder: NodeJS.WritableStream): Promise<void> {
  for await (const chunk of chunks) {
    if (!decoder.write(chunk)) await drained(decoder);
  }
  decoder.end();
}

function drained(decoder: NodeJS.WritableStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const settle = (): void => {
    decoder.off('drain', settle);
    decoder.off('close', settle);
    resolve();
  };
  decoder.on('drain', settle);
  decoder.on('close', settle);
  return promise;
}

async function peek(
  stream: Readable,
  count: number,
): Promise<{ first: Buffer; rest: AsyncGenerator<Buffer> }> {
  const iterator = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let first: Buffer = Buffer.alloc(0);
  while (first.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    first = first.length === 0 ? next.value : Buffer.concat([first, next.value]);
  }
  return { first, rest: chain(first, iterator) };
}

async function* chain(first: Buffer, iterator: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  for (;;) {
    const next = await iterator.next();
    if (next.done) return;
    yield next.value;
  }
}
