import { execFileSync } from 'node:child_process';
import { constants, gzipSync, zstdCompressSync } from 'node:zlib';

export type Encoding = 'plain' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

/** A whole stream of an encoding; level 1, since nothing hostile depends on it. */
export function encode(bytes: Buffer, encoding: Encoding): Buffer {
  switch (encoding) {
    case 'plain':
      return bytes;
    case 'gzip':
      return gzipSync(bytes, { level: 1 });
    case 'zstd':
      return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    default:
      return execFileSync(encoding, ['-1c'], { input: bytes, maxBuffer: 1 << 30 });
  }
}

/** A zstd frame that decoders pass over (RFC 8878, section 3.1.2). @param claimed its length, if not the true one */
export function skippable(payload: Buffer, claimed: number = payload.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x184d2a50, 0);
  head.writeUInt32LE(claimed, 4);
  return Buffer.concat([head, payload]);
}

/**
 * A zstd frame of raw blocks whose header says what one likes (RFC 8878, section 3.1.1).
 * @param head the header after the magic number
 */
export function zstdFrame(head: readonly number[], blocks: readonly Buffer[]): Buffer {
  const magic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
  return Buffer.concat([magic, Buffer.from(head), ...blocks]);
}

/** A zstd block: raw, or one byte many times. */
export function zstdBlock(type: 'raw' | 'rle', bytes: Buffer, size: number, last: boolean): Buffer {
  const head = Buffer.alloc(3);
  head.writeUIntLE((last ? 1 : 0) | ((type === 'rle' ? 1 : 0) << 1) | (size << 3), 0, 3);
  return Buffer.concat([head, bytes]);
}
