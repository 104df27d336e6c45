import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Digest } from '../core/digest.ts';
import { readTar } from '../tar/reader.ts';
import { type DecodeOptions, decodeStream } from './decode-stream.ts';
import type { LayerReader } from './types.ts';

export interface LayerReadOptions extends Pick<DecodeOptions, 'brief'> {
  /** Told of all plain bytes, those behind the archive too, before they are read. */
  readonly onPlain?: (bytes: Buffer) => void;
}

/**
 * Reads a layer of any compression in order.
 * @param _mediaType not trusted: the bytes say how they are compressed
 * @param what names the layer in errors, usually its digest
 * @param options `brief` concerns the contents of files
 * @throws AppError CORRUPT from the iteration
 */
export function readLayer(
  stream: Readable,
  _mediaType: string,
  what: string,
  { onPlain, ...options }: LayerReadOptions = {},
): LayerReader {
  let ended = false;
  const bytes = decodeStream(stream, what, { ...options, sated: () => ended });
  return readTar(onPlain ? told(bytes, onPlain) : bytes, what, () => {
    ended = true;
  });
}

async function* told(bytes: AsyncIterable<Buffer>, onPlain: (bytes: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    onPlain(chunk);
    yield chunk;
  }
}

/** The diffID of a layer: the digest of its plain bytes (OCI image spec, "Layer DiffID"). @throws AppError CORRUPT */
export async function diffIdOf(stream: Readable, what: string): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of decodeStream(stream, what)) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}
