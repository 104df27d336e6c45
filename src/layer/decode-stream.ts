import type { Readable } from 'node:stream';
import { crc32, createInflateRaw, createZstdDecompress, inflateRawSync } from 'node:zlib';
import { AppError } from '../core/error.ts';
import { release } from '../core/release.ts';
import { createInput, type Input } from './decode-input.ts';
import { type DecodeProgram, decodeByProgram } from './decode-program.ts';
import { gzipHeaderLength, isGzip } from './gzip-header.ts';

/** Bytes that a decoder hands on at a time: every chunk costs a turn of the event loop. */
const DECODE_CHUNK = 1024 * 1024;
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const BZIP2 = Buffer.from('BZh');
const XZ = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const HEAD_BYTES = 6;
const GZIP_TRAILER = 8;
/** Bytes of a member of gzip, plain or not, that is decoded at once. */
const SMALL = 256 * 1024;

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
 * does, bzip2 and xz among them by programs of these names; gzip with several members and zstd with several or skippable frames are read to their end. What follows the last
 * member of gzip and is none itself, such as padding, is passed over. The stream is read to its end in any case, unless
 * the iteration is given up.
 * @param what names the layer in errors
 * @throws AppError CORRUPT from the iteration when the bytes cannot be decoded, CONTEXT when the program for it is missing;
 * errors of `stream` as they are
 */
export async function* decodeStream(
  stream: Readable,
  what: string,
  { brief = false, sated = () => false }: DecodeOptions = {},
): AsyncGenerator<Buffer> {
  const input = createInput(stream);
  try {
    const head = await input.peek(HEAD_BYTES);
    const kind = compressionOf(head);
    if (kind === 'none') {
      for (let chunk = await input.next(); chunk; chunk = await input.next()) yield chunk;
      return;
    }
    try {
      if (kind === 'gzip') yield* gunzip(input, brief);
      else if (kind === 'zstd') yield* decode(createZstdDecompress, input, brief);
      else yield* decodeByProgram(kind, input, what);
    } catch (cause) {
      input.rethrow();
      if (cause instanceof AppError) throw cause;
      // Whoever verifies the stream has the first word on what is wrong with it.
      await input.drain();
      if (!sated()) throw new AppError('CORRUPT', `${what} cannot be decoded as ${kind}`, { cause });
    }
    await input.drain();
  } finally {
    stream.destroy();
  }
}

/** What the first bytes of a layer say about its compression. */
function compressionOf(first: Buffer): 'gzip' | 'zstd' | DecodeProgram | 'none' {
  if (isGzip(first)) return 'gzip';
  if (first.subarray(0, 4).equals(ZSTD)) return 'zstd';
  if (first.subarray(0, 3).equals(BZIP2)) return 'bzip2';
  if (first.equals(XZ)) return 'xz';
  // A skippable frame may stand before the first frame of zstd (RFC 8878, section 3.1.2).
  const skippable = first.length >= 4 && first.readUInt32LE(0) >>> 4 === 0x184d2a5;
  return skippable ? 'zstd' : 'none';
}

/** All members of a gzip stream (RFC 1952), each verified. @throws Error for one that is damaged or cut off */
async function* gunzip(input: Input, brief: boolean): AsyncGenerator<Buffer> {
  for (let first = true; ; first = false) {
    const header = await gzipHeaderLength(input);
    if (header === undefined && first) throw new Error('incorrect header');
    if (header === undefined) return;
    await input.skip(header);
    let check = 0;
    let length = 0;
    // Some archives have a member for each file; a decoder for each would take longer than all the rest.
    const small = first ? undefined : await inflateSmall(input);
    const plain = small ?? decode(createInflateRaw, input, false);
    for await (const chunk of plain) {
      check = crc32(chunk, check);
      length += chunk.length;
      yield chunk;
      if (brief) release(chunk);
    }
    const trailer = await input.peek(GZIP_TRAILER);
    if (trailer.length < GZIP_TRAILER) throw new Error('unexpected end of file');
    await input.skip(GZIP_TRAILER);
    if (trailer.readUInt32LE(0) !== check || trailer.readUInt32LE(4) !== length % 2 ** 32)
      throw new Error('incorrect data check');
  }
}

/** A small member as a whole; undefined where it is not small, or damaged. */
async function inflateSmall(input: Input): Promise<Buffer[] | undefined> {
  const bytes = await input.peek(SMALL);
  let result: { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
  try {
    // The types of Node do not know what `info` gives back.
    result = inflateRawSync(bytes, { info: true, maxOutputLength: SMALL, chunkSize: SMALL / 4 }) as never;
  } catch {
    return undefined;
  }
  await input.skip(result.engine.bytesWritten);
  return result.buffer.length > 0 ? [result.buffer] : [];
}

type Decoder = ReturnType<typeof createInflateRaw> | ReturnType<typeof createZstdDecompress>;

/** What a decoder makes of the input; what it has no use for stays there. */
async function* decode(
  create: (options: { chunkSize: number }) => Decoder,
  input: Input,
  brief: boolean,
): AsyncGenerator<Buffer> {
  const decoder = create({ chunkSize: DECODE_CHUNK });
  // A decoder that is at its end leaves input over, and may never say that it is done with it.
  const ended = new Promise<void>((resolve) => {
    for (const event of ['end', 'close', 'error']) decoder.once(event, () => resolve());
  });
  const feed = async (): Promise<void> => {
    let fed = 0;
    for (let chunk = await input.next(); chunk; chunk = await input.next()) {
      fed += chunk.length;
      const bytes = chunk;
      await Promise.race([new Promise<void>((resolve) => decoder.write(bytes, () => resolve())), ended]);
      const unused = fed - decoder.bytesWritten;
      if (unused > 0) return input.unread(chunk.subarray(chunk.length - unused));
    }
    decoder.end();
  };
  const feeding = feed().catch((error: Error) => {
    decoder.destroy(error);
  });
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      yield chunk;
      if (brief) release(chunk);
    }
    await feeding;
  } finally {
    decoder.destroy();
  }
}
