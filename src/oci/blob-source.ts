import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { type Digest, digestOf } from '../core/digest.ts';
import { fsPath } from '../core/path-bytes.ts';
import { lazyReadable } from './readable.ts';
import type { BlobSource, Descriptor, Store } from './types.ts';

/** Bytes of a file stream's chunk: large, since every chunk costs a turn of the event loop. */
export const FILE_CHUNK = 1024 * 1024;

/** A blob that is in memory. */
export function bytesSource(bytes: Buffer): BlobSource {
  return {
    digest: digestOf(bytes),
    size: bytes.length,
    open: (offset = 0) => Readable.from([bytes.subarray(offset)], { objectMode: false }),
  };
}

/**
 * A blob that is a file of its own.
 * @param verified the digest was computed while this process wrote the file, so that nobody has to read it again
 */
export function fileSource(file: string, digest: Digest, size: number, verified = false): BlobSource {
  return {
    digest,
    size,
    file,
    ...(verified ? { fileVerified: true } : {}),
    open: (offset = 0) => createReadStream(fsPath(file), { start: offset, highWaterMark: FILE_CHUNK }),
  };
}

/** A blob of another store; `mountFrom` where both are repositories of one registry. */
export function storeSource(
  store: Store,
  descriptor: Pick<Descriptor, 'digest' | 'size'>,
  options: { readonly mountFrom?: string; readonly signal?: AbortSignal } = {},
): BlobSource {
  const { digest, size } = descriptor;
  return {
    digest,
    size,
    open: (offset = 0) =>
      lazyReadable(() => store.get(digest, offset === 0 ? undefined : { offset }, options.signal)),
    ...(options.mountFrom === undefined ? {} : { mountFrom: options.mountFrom }),
  };
}
