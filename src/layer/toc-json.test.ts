import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import { createTableReader } from './toc-json.ts';
import { toFrameRow, toRow } from './toc-rows.ts';
import type { TocEntries, TocEntry, TocFrame, TocTable } from './types.ts';

const FILE: TocEntry = { ...EMPTY_FILE, path: 'f', contentOffset: 0 };
const DIGEST = `sha256:${'1'.repeat(64)}` as const;
const FRAMES: readonly TocFrame[] = [
  { offset: 0, length: 10, tarOffset: 0, tarLength: 512, digest: DIGEST },
  { offset: 10, length: 2 ** 40, tarOffset: 512, tarLength: 1024, digest: DIGEST },
];
/** Names that look like the text around them, raw bytes, and paths that share a directory or do not. */
const ENTRIES: readonly TocEntry[] = [
  { ...FILE, path: '' },
  {
    ...FILE,
    path: 'a],["b',
    mode: 0o4755,
    uid: 2 ** 32 - 2,
    size: 2 ** 40,
    mtime: -1,
    contentOffset: 2 ** 41,
  },
  { ...FILE, path: 'd/"\\', type: 'symlink', linkname: ']],[["\\\\"' },
  { ...FILE, path: 'd/\udcff', type: 'hardlink', linkname: 'd/"\\' },
  {
    ...FILE,
    path: 'd/ü/\u{1f600}',
    mtimeNsec: 999_999_999,
    xattrs: new Map([['user.a', Buffer.from([0, 255])]]),
  },
  { ...FILE, path: 'ü', type: 'char', devmajor: 1, devminor: 3, mtime: 2 ** 33 },
];

const all = ({ count, get }: TocEntries): TocEntry[] => Array.from({ length: count }, (_, i) => get(i));
const read = (parts: readonly Buffer[]): TocTable => {
  const reader = createTableReader();
  for (const part of parts) reader.push(part);
  return reader.end();
};
const rows = ENTRIES.map((entry) => toRow(entry, entry.contentOffset));
const TEXT = Buffer.from(JSON.stringify({ frames: FRAMES.map(toFrameRow), entries: rows }));

test('a table is read as it was written, wherever its text is cut', () => {
  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: TEXT.length }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, (at) => {
      const ends = [...at.toSorted((a, b) => a - b), TEXT.length];
      const table = read(ends.map((end, i) => TEXT.subarray(ends[i - 1] ?? 0, end)));
      assert.deepEqual(table.frames, FRAMES);
      assert.deepEqual(all(table.entries), ENTRIES);
    }),
    { numRuns: 300 },
  );
  assert.deepEqual(all(read([...TEXT].map((byte) => Buffer.of(byte))).entries), ENTRIES);
});

test('every other text is refused, cut off or changed in any one byte', () => {
  const tables = new Set<string>();
  for (let at = 0; at < TEXT.length; at += 1) {
    assert.throws(() => read([TEXT.subarray(0, at)]), `the first ${at} bytes`);
    for (const byte of [0x5b, 0x5d, 0x2c, 0x22, 0x20, 0x7b]) {
      const changed = Buffer.from(TEXT);
      changed[at] = byte;
      let table: TocTable;
      try {
        table = read([changed]);
      } catch {
        continue;
      }
      // What is read in parts is what JSON reads.
      const { entries } = JSON.parse(changed.toString()) as { entries: unknown[][] };
      assert.deepEqual(
        all(table.entries).map(({ path }) => path),
        entries.map(([path]) => path),
      );
      tables.add(changed.toString());
    }
  }
  assert.ok(tables.size > 0);
  for (const text of [
    '',
    '{}',
    '[]',
    'null',
    '{"entries":[],"frames":[]}',
    `${TEXT.toString()}x`,
    `${TEXT.toString()}}`,
  ])
    assert.throws(() => read([Buffer.from(text)]), text);
  for (const row of ['1', 'null', '{}', '[],', ',[]', '[][]', '[[]', '[]]', '"x"', '[1]', ' '])
    assert.throws(() => read([Buffer.from(`{"frames":[],"entries":[${row}]}`)]), row);
});
