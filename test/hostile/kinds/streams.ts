import { constants, crc32, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { encode, skippable, zstdBlock, zstdFrame } from '../encode.ts';
import { file, tarOf } from '../tar-bytes.ts';
import type { Kind, Must, StreamInput } from '../types.ts';

/** What Docker's decoders pass over and ours do not. */
const STRICTER: Readonly<Record<string, string>> = {
  'gzip-flags-reserved': 'Docker reads on behind flags that RFC 1952 says to refuse',
  'zstd-checksum': 'Docker does not compare the checksum of a frame',
  'bzip2-cut': 'Docker uses a block before it knows that the stream is whole',
};

/** A tar, and whole streams of it. */
interface Honest {
  readonly tar: Buffer;
  readonly gz: Buffer;
  readonly zst: Buffer;
}

/** @param of the tar that is meant, if not the honest one */
function stream(name: string, must: Must, bytes: (honest: Honest) => Buffer, of?: Buffer): Kind<StreamInput> {
  const notDocker = STRICTER[name];
  return {
    name,
    must: notDocker === undefined ? must : 'either',
    ...(notDocker === undefined ? {} : { notDocker }),
    make: () => {
      // Of every kind another one: Docker fetches no layer whose diffID it knows.
      const tar = tarOf([file('a/hello', `${name}\n`), file('b', Buffer.alloc(3000, 'b'))]);
      return { bytes: bytes({ tar, gz: gzipSync(tar), zst: encode(tar, 'zstd') }), tar: of ?? tar };
    },
  };
}

const changed = (bytes: Buffer, at: number, to: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at < 0 ? copy.length + at : at] = to;
  return copy;
};
const after = (bytes: Buffer, ...more: readonly Buffer[]): Buffer => Buffer.concat([bytes, ...more]);
const zeros = (count: number): Buffer => Buffer.alloc(count);
/** A gzip header with these flags and what they announce (RFC 1952, section 2.3). */
const gzipWith = (gz: Buffer, flags: number, fields: Buffer): Buffer =>
  after(Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), fields, gz.subarray(10));
const many = (bytes: Buffer, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, () => bytes));

/** Streams whose compression is what is wrong with them. */
export const streams: readonly Kind<StreamInput>[] = [
  stream('gzip-trailing-zeros', 'build', ({ gz }) => after(gz, zeros(20_000_000))),
  stream('gzip-trailing-few-zeros', 'build', ({ gz }) => after(gz, zeros(1000))),
  stream('gzip-trailing-one-zero', 'build', ({ gz }) => after(gz, zeros(1))),
  stream('gzip-trailing-garbage', 'build', ({ gz }) => after(gz, Buffer.alloc(1000, 'g'))),
  stream('gzip-trailing-magic', 'build', ({ gz }) => after(gz, Buffer.from([0x1f, 0x8b]))),
  stream('gzip-trailing-header', 'build', ({ gz }) => after(gz, gz.subarray(0, 12))),
  stream('gzip-cut-header', 'refuse', ({ gz }) => gz.subarray(0, 5)),
  stream('gzip-cut-half', 'refuse', ({ gz }) => gz.subarray(0, gz.length >> 1)),
  stream('gzip-cut-trailer', 'build', ({ gz }) => gz.subarray(0, -5)),
  stream('gzip-magic-alone', 'refuse', ({ gz }) => gz.subarray(0, 2)),
  stream('gzip-crc', 'build', ({ gz }) => changed(gz, -8, gz.at(-8)! ^ 1)),
  stream('gzip-size', 'build', ({ gz }) => changed(gz, -1, gz.at(-1)! ^ 1)),
  stream('gzip-method', 'refuse', ({ gz }) => changed(gz, 2, 7)),
  stream('gzip-flags-reserved', 'build', ({ gz }) => changed(gz, 3, 0xe0)),
  stream('gzip-damaged', 'refuse', ({ gz }) => changed(gz, gz.length >> 1, gz[gz.length >> 1]! ^ 0xff)),
  stream('gzip-name-20-mb', 'either', ({ gz }) =>
    gzipWith(gz, 8, Buffer.concat([Buffer.alloc(20_000_000, 'n'), zeros(1)])),
  ),
  stream('gzip-name-endless', 'refuse', () =>
    after(Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.alloc(5_000_000, 'n')),
  ),
  stream('gzip-extra', 'build', ({ gz }) =>
    gzipWith(gz, 4, Buffer.concat([Buffer.from([0xff, 0xff]), zeros(65_535)])),
  ),
  stream('gzip-header-crc', 'build', ({ gz }) => {
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(Buffer.from([0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3])) & 0xffff);
    return gzipWith(gz, 2, sum);
  }),
  stream('gzip-header-crc-bad', 'either', ({ gz }) => gzipWith(gz, 2, Buffer.from([1, 2]))),
  stream('gzip-two-members', 'build', ({ tar }) =>
    after(gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))),
  ),
  stream('gzip-100000-members', 'build', ({ gz }) => after(gz, many(gzipSync(zeros(0)), 100_000))),
  stream('gzip-empty-member-first', 'build', ({ gz }) => after(gzipSync(zeros(0)), gz)),
  stream('gzip-of-nothing', 'build', () => gzipSync(zeros(0)), zeros(0)),
  stream('gzip-in-gzip', 'refuse', ({ gz }) => gzipSync(gz)),
  stream('gzip-bomb-after-end', 'build', ({ gz }) => after(gz, gzipSync(zeros(400_000_000), { level: 1 }))),
  stream('gzip-bomb-name', 'refuse', () => gzipSync(Buffer.alloc(200_000_000, 'n'), { level: 1 })),
  stream('zlib', 'refuse', ({ tar }) => deflateSync(tar)),
  stream('deflate', 'refuse', ({ tar }) => deflateRawSync(tar)),
  stream('empty', 'build', () => zeros(0), zeros(0)),
  stream('one-byte', 'either', () => Buffer.from([0x28]), Buffer.from([0x28])),
  stream('four-zeros', 'either', () => zeros(4), zeros(4)),
  stream('zstd-trailing-zeros', 'build', ({ zst }) => after(zst, zeros(1000))),
  stream('zstd-trailing-garbage', 'build', ({ zst }) => after(zst, Buffer.alloc(1000, 'g'))),
  stream('zstd-trailing-magic', 'build', ({ zst }) => after(zst, zst.subarray(0, 4))),
  stream('zstd-cut', 'refuse', ({ zst }) => zst.subarray(0, -3)),
  stream('zstd-cut-header', 'refuse', ({ zst }) => zst.subarray(0, 5)),
  stream('zstd-magic-alone', 'refuse', ({ zst }) => zst.subarray(0, 4)),
  stream('zstd-damaged', 'refuse', ({ zst }) => changed(zst, zst.length >> 1, zst[zst.length >> 1]! ^ 0xff)),
  stream('zstd-checksum', 'build', ({ tar }) => {
    const summed = zstdCompressSync(tar, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    return changed(summed, -1, summed.at(-1)! ^ 1);
  }),
  stream('zstd-window-2-gib', 'refuse', ({ tar }) =>
    zstdFrame([0x00, 0xa8], [zstdBlock('raw', tar.subarray(0, 1000), 1000, true)]),
  ),
  stream('zstd-window-largest', 'refuse', ({ tar }) =>
    zstdFrame([0x00, 0xff], [zstdBlock('raw', tar.subarray(0, 1000), 1000, true)]),
  ),
  stream('zstd-content-size-huge', 'refuse', ({ tar }) =>
    zstdFrame(
      [0xe0, 255, 255, 255, 255, 255, 255, 255, 127],
      [zstdBlock('raw', tar.subarray(0, 1000), 1000, true)],
    ),
  ),
  stream('zstd-reserved-block', 'refuse', () => zstdFrame([0x00, 0x58], [Buffer.from([0x07, 0, 0])])),
  stream('zstd-dictionary', 'refuse', ({ tar }) =>
    zstdFrame([0x03, 0x58, 1, 2, 3, 4], [zstdBlock('raw', tar.subarray(0, 1000), 1000, true)]),
  ),
  stream('zstd-bomb-after-end', 'build', ({ zst }) =>
    after(
      zst,
      zstdFrame(
        [0x00, 0x58],
        Array.from({ length: 3000 }, (_, i) => zstdBlock('rle', zeros(1), 131_072, i === 2999)),
      ),
    ),
  ),
  stream('zstd-bomb-name', 'refuse', () =>
    zstdFrame(
      [0x00, 0x58],
      Array.from({ length: 1500 }, (_, i) => zstdBlock('rle', Buffer.from('n'), 131_072, i === 1499)),
    ),
  ),
  stream('zstd-skippable-first', 'build', ({ zst }) => after(skippable(Buffer.from('abc')), zst)),
  stream('zstd-skippable-last', 'build', ({ zst }) => after(zst, skippable(Buffer.alloc(100_000, 's')))),
  stream('zstd-skippable-alone', 'build', () => skippable(Buffer.from('abc')), zeros(0)),
  stream('zstd-skippable-cut', 'build', ({ zst }) => after(zst, skippable(Buffer.from('abc'), 0xffffffff))),
  stream('zstd-skippable-cut-first', 'refuse', ({ zst }) => after(skippable(zeros(0), 0x7fffffff), zst)),
  stream('zstd-100000-frames', 'build', ({ zst }) => after(zst, many(encode(zeros(0), 'zstd'), 100_000))),
  stream('zstd-then-gzip', 'either', ({ tar }) =>
    after(encode(tar.subarray(0, 1024), 'zstd'), gzipSync(tar.subarray(1024))),
  ),
  stream('gzip-then-zstd', 'either', ({ tar }) =>
    after(gzipSync(tar.subarray(0, 1024)), encode(tar.subarray(1024), 'zstd')),
  ),
  stream('zstd-in-zstd', 'refuse', ({ zst }) => encode(zst, 'zstd')),
  stream('bzip2', 'build', ({ tar }) => encode(tar, 'bzip2')),
  stream('bzip2-damaged', 'either', ({ tar }) => changed(encode(tar, 'bzip2'), -20, 0x55)),
  stream('bzip2-cut', 'build', ({ tar }) => encode(tar, 'bzip2').subarray(0, -10)),
  stream('bzip2-magic-alone', 'refuse', () => Buffer.from('BZh9')),
  stream('bzip2-trailing-garbage', 'build', ({ tar }) => after(encode(tar, 'bzip2'), Buffer.alloc(100, 'g'))),
  stream('xz', 'build', ({ tar }) => encode(tar, 'xz')),
  stream('xz-damaged', 'either', ({ tar }) => changed(encode(tar, 'xz'), 40, 0x55)),
  stream('xz-cut', 'build', ({ tar }) => encode(tar, 'xz').subarray(0, -10)),
  stream('xz-trailing-zeros', 'build', ({ tar }) => after(encode(tar, 'xz'), zeros(1024))),
  stream(
    'tar-named-like-gzip',
    'either',
    () => tarOf([file(Buffer.from([0x1f, 0x8b, 8]))]),
    tarOf([file(Buffer.from([0x1f, 0x8b, 8]))]),
  ),
];
