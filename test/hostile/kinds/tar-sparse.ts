import { moreThanDisk, moreTogether, NOT_DOCKER } from '../sparse-size.ts';
import { base256, file, GNU, header, type TarPart } from '../tar-bytes.ts';
import type { Kind, TarInput } from '../types.ts';
import { tar } from './tar-names.ts';

type Segment = readonly [offset: number | bigint, length: number | bigint];

const octal = (value: number | bigint): Buffer =>
  value < 0 || BigInt(value) >= 1n << 33n
    ? base256(BigInt(value), 12)
    : Buffer.from(`${value.toString(8).padStart(11, '0')}\0`);
const pairs = (segments: readonly Segment[]): Buffer =>
  Buffer.concat(segments.flatMap(([offset, length]) => [octal(offset), octal(length)]));

/** GNU's old format: four segments in the header, the rest in blocks after it. */
function old(
  name: string,
  realSize: number | bigint,
  segments: readonly Segment[],
  content: Buffer,
  more: TarPart = {},
): TarPart {
  const poke = { 386: pairs(segments.slice(0, 4)), 483: octal(realSize), ...more.poke };
  return { name, type: 'S', magic: GNU, content, ...more, poke };
}

/** A block that says that another one follows, and holds no segment. */
function extension(last = false, segments: readonly Segment[] = []): Buffer {
  const block = Buffer.alloc(512);
  pairs(segments).copy(block, 0);
  block[504] = last ? 0 : 1;
  return block;
}

const extended = { 482: Buffer.from([1]) };
const format0 = (map: string, size: string, content = 'abc'): TarPart =>
  file('s', content, {
    pax: {
      'GNU.sparse.major': '0',
      'GNU.sparse.minor': '1',
      'GNU.sparse.name': 'real',
      'GNU.sparse.size': size,
      'GNU.sparse.map': map,
    },
  });
const format1 = (map: string, size: string, content = 'abc', name = 'real'): TarPart =>
  file('s', Buffer.concat([padded(map), Buffer.from(content)]), {
    pax: {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': name,
      'GNU.sparse.realsize': size,
    },
  });

function padded(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

const abc = Buffer.from('abc');

/** Sparse files in all of GNU's formats. */
export const tarSparse: readonly Kind<TarInput>[] = [
  tar('sparse-old', 'either', () => [old('s', 10, [[2, 3]], abc), file('after')]),
  tar('sparse-old-extended', 'either', () => [
    { ...old('s', 10, [[2, 3]], Buffer.alloc(0), { poke: extended, size: 3 }) },
    extension(true),
    padded('abc'),
    file('after'),
  ]),
  tar(
    'sparse-old-endless',
    'refuse',
    () => [
      header(old('s', 10, [[2, 3]], abc, { poke: extended })),
      ...Array.from({ length: 40_000 }, () => extension()),
    ],
    {},
  ),
  tar('sparse-old-overlap', 'refuse', () => [
    old(
      's',
      10,
      [
        [2, 3],
        [3, 3],
      ],
      Buffer.from('abcabc'),
    ),
  ]),
  tar('sparse-old-backwards', 'refuse', () => [
    old(
      's',
      10,
      [
        [5, 3],
        [0, 3],
      ],
      Buffer.from('abcabc'),
    ),
  ]),
  tar('sparse-old-beyond', 'refuse', () => [old('s', 4, [[2, 3]], abc)]),
  tar('sparse-old-negative', 'refuse', () => [old('s', 10, [[-2, 3]], abc)]),
  tar('sparse-old-negative-size', 'refuse', () => [old('s', -10, [[2, 3]], abc)]),
  tar('sparse-old-more-than-stored', 'refuse', () => [old('s', 5000, [[0, 4000]], abc), file('after')]),
  tar('sparse-old-less-than-stored', 'either', () => [old('s', 10, [[0, 1]], abc), file('after')]),
  tar('sparse-old-letters', 'refuse', () => [
    old('s', 10, [], abc, { poke: { 386: Buffer.from('abcdefghijklabcdefghijkl') } }),
  ]),
  tar('sparse-old-none', 'either', () => [old('s', 10, [], abc)]),
  tar('sparse-old-overflow', 'refuse', () => [
    old('s', (1n << 62n) - 1n, [[(1n << 62n) - 2n, 1n << 62n]], abc),
  ]),
  tar('sparse-100-mb', 'either', () => [old('s', 100_000_000, [[99_999_990, 3]], abc)]),
  tar('sparse-8-eib', 'refuse', () => [old('s', (1n << 63n) - 1n, [[(1n << 63n) - 10n, 3n]], abc)], {
    notDocker: 'Docker writes zeros until the disk is full',
  }),
  tar('sparse-1-tib', 'refuse', () => [old('s', moreThanDisk(), [[0, 3]], abc)], { notDocker: NOT_DOCKER }),
  tar('sparse-1-tib-pax', 'refuse', () => [format1('1\n0\n3\n', String(moreThanDisk()))], {
    notDocker: NOT_DOCKER,
  }),
  tar(
    'sparse-many',
    'refuse',
    () => {
      const { count, size } = moreTogether();
      return Array.from({ length: count }, (_, i) => format1('1\n0\n3\n', String(size), 'abc', `f${i}`));
    },
    { notDocker: NOT_DOCKER },
  ),
  tar('sparse-0-map', 'either', () => [format0('2,3', '10'), file('after')]),
  tar('sparse-0-odd', 'refuse', () => [format0('2,3,4', '10')]),
  tar('sparse-0-letters', 'refuse', () => [format0('a,b', '10')]),
  tar('sparse-0-empty', 'either', () => [format0('', '10')]),
  tar('sparse-0-fraction', 'refuse', () => [format0('0.5,2.5', '10')]),
  tar('sparse-0-size-letters', 'refuse', () => [format0('2,3', 'ten')]),
  tar('sparse-0-size-missing', 'either', () => [
    file('s', 'abc', { pax: { 'GNU.sparse.major': '0', 'GNU.sparse.minor': '1', 'GNU.sparse.map': '2,3' } }),
  ]),
  tar('sparse-0-million', 'either', () => [
    format0(Array.from({ length: 400_000 }, (_, i) => `${i * 2},0`).join(','), '900000', ''),
  ]),
  tar('sparse-0-records', 'build', () => [
    file('s', 'abc', {
      pax: {
        'GNU.sparse.size': '10',
        'GNU.sparse.numblocks': '1',
        'GNU.sparse.offset': '2',
        'GNU.sparse.numbytes': '3',
      },
    }),
  ]),
  tar('sparse-1-map', 'build', () => [format1('1\n2\n3\n', '10'), file('after')]),
  tar('sparse-1-count-huge', 'refuse', () => [format1('99999999999\n2\n3\n', '10')]),
  tar('sparse-1-count-over', 'refuse', () => [format1('5\n2\n3\n', '10')]),
  tar('sparse-1-count-letters', 'refuse', () => [format1('one\n2\n3\n', '10')]),
  tar('sparse-1-count-negative', 'refuse', () => [format1('-1\n2\n3\n', '10')]),
  tar('sparse-1-no-newline', 'refuse', () => [format1('1'.repeat(2000), '10')]),
  tar('sparse-1-empty-lines', 'refuse', () => [format1('\n\n\n', '10')]),
  tar('sparse-1-size-letters', 'refuse', () => [format1('1\n2\n3\n', 'ten')]),
  tar('sparse-1-name-up', 'either', () => [
    file('s', Buffer.concat([padded('1\n2\n3\n'), abc]), {
      pax: {
        'GNU.sparse.major': '1',
        'GNU.sparse.minor': '0',
        'GNU.sparse.name': '../../escape',
        'GNU.sparse.realsize': '10',
      },
    }),
  ]),
  tar('sparse-1-on-dir', 'either', () => [
    {
      name: 'd/',
      type: '5',
      pax: { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '10' },
    },
    file('after'),
  ]),
  tar('sparse-major-unknown', 'build', () => [
    file('s', 'abc', { pax: { 'GNU.sparse.major': '7', 'GNU.sparse.minor': '0' } }),
  ]),
];
