import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { seal } from '../../tar/header.ts';
import { describeTree } from '../describe-tree.ts';
import { extractLayers } from './extract.ts';
import { entryOf, fileOf, layerOf } from './testing.ts';

/*
 * Layers whose table and tar were made to differ. Whatever is changed: what the table leads to is what any reader of the
 * tar finds, or the layer is CORRUPT.
 */

const sys = createSyscalls();
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'extract-crafted-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

type Row = [path: string, ...rest: unknown[]];
type FrameRow = [offset: number, length: number, tarOffset: number, tarLength: number, digest: string];

/** A layer taken apart. */
interface Parts {
  /** Plain bytes of each frame. */
  frames: Buffer[];
  /** What stands before each compressed frame, and before the table. */
  between: Buffer[];
  rows: Row[];
  /** Changes the rows of the frames once they are known. */
  frameRows: (rows: FrameRow[]) => FrameRow[];
  /** Changes the head and the foot of the table's own frame. */
  table: (bytes: Buffer) => Buffer;
}

const content = (size: number): Buffer => Buffer.alloc(size, 'some content ');
const ENTRIES = [
  entryOf('dir', 'd', { mode: 0o750, uid: 3, gid: 4 }),
  fileOf('d/a', content(700), { mode: 0o4755 }),
  fileOf('d/empty', ''),
  entryOf('symlink', 'd/s', { linkname: 'a' }),
  entryOf('hardlink', 'd/h', { linkname: 'd/a' }),
  entryOf('char', 'd/c', { devmajor: 1, devminor: 3 }),
  fileOf('d/caps', 'x', { xattrs: new Map([['user.a', Buffer.from('1')]]) }),
  fileOf('d/later', 'x', { mtimeNsec: 5 }),
  fileOf('large', content(5000)),
  fileOf('d/ü', 'x'),
  fileOf('gone', 'lower'),
  fileOf('gone', 'upper'),
  fileOf('z', content(511)),
];

/** @param count of frames; three and more are decoded in threads */
async function takeApart(count = 2): Promise<Parts> {
  const blob = await layerOf(base, ENTRIES);
  const bytes = fs.readFileSync(blob.file);
  const { offset, length } = blob.toc!;
  const toc = JSON.parse(zstdDecompressSync(bytes.subarray(offset, offset + length)).toString('utf8')) as {
    frames: FrameRow[];
    entries: Row[];
  };
  assert.equal(toc.frames.length, 1);
  const [, size] = toc.frames[0]!;
  const tar = zstdDecompressSync(bytes.subarray(0, size));
  // The last cut but one lies in the content of a large file.
  const large = toc.entries.find(([name]) => name === 'large')!;
  const cuts = [2048, (large[11] as number) + 1024, (large[11] as number) + 2560].slice(-count + 1);
  const frames = [0, ...cuts].map((at, i) => tar.subarray(at, cuts[i] ?? tar.length));
  const between = Array.from({ length: frames.length + 1 }, () => Buffer.alloc(0));
  return { frames, between, rows: toc.entries, frameRows: (rows) => rows, table: (head) => head };
}

const base64 = (bytes: Buffer): string =>
  Buffer.from(digestOf(bytes).slice(7), 'hex').toString('base64').replace('=', '');

/** Puts a layer together, with all digests as they must be. */
function putTogether({ frames, between, rows, frameRows, table }: Parts): LayerBlob {
  const blob: Buffer[] = [];
  const found: FrameRow[] = [];
  let [offset, tarOffset] = [0, 0];
  for (const [index, frame] of frames.entries()) {
    const compressed = zstdCompressSync(frame);
    blob.push(between[index] ?? Buffer.alloc(0), compressed);
    offset += between[index]?.length ?? 0;
    found.push([offset, compressed.length, tarOffset, frame.length, base64(compressed)]);
    offset += compressed.length;
    tarOffset += frame.length;
  }
  const last = between[frames.length] ?? Buffer.alloc(0);
  const toc = zstdCompressSync(Buffer.from(JSON.stringify({ frames: frameRows(found), entries: rows })));
  const own = Buffer.concat([Buffer.alloc(8), toc, Buffer.alloc(16)]);
  own.writeUInt32LE(0x184d2a50, 0);
  own.writeUInt32LE(toc.length + 16, 4);
  own.writeUInt32LE(toc.length, own.length - 16);
  own.writeUInt32LE(2, own.length - 12);
  own.write('envbTOC1', own.length - 8, 'latin1');
  const bytes = Buffer.concat([...blob, last, table(own)]);
  return {
    mediaType: '',
    digest: digestOf(bytes),
    size: bytes.length,
    diffId: digestOf(Buffer.concat(frames)),
    toc: { offset: offset + last.length + 8, length: toc.length, digest: digestOf(toc) },
    from: 'a test',
    open: async () => Readable.from([bytes], { objectMode: false }),
    readRange: async (at, length) => bytes.subarray(at, at + length),
  };
}

async function unpack(blob: LayerBlob): Promise<unknown> {
  const target = fs.mkdtempSync(path.join(base, 'target-'));
  try {
    await extractLayers({ layers: [blob], target, privileged: true, emit: () => {} }, { sys });
    return describeTree(target);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    assert.equal(error.where?.layer, blob.digest);
    return error.code;
  } finally {
    fs.rmSync(target, { recursive: true });
  }
}

/** What the table leads to, which must be CORRUPT or what a reader of the tar finds. */
async function read(parts: Parts, what: string): Promise<unknown> {
  const blob = putTogether(parts);
  const { toc: _, ...streamed } = blob;
  const found = await unpack(blob);
  if (found !== 'CORRUPT') assert.deepEqual(found, await unpack(streamed), what);
  return found;
}

function withField(row: Row, field: number, value: unknown): Row {
  const changed = [...row];
  changed[field] = value;
  return changed as Row;
}

test('a layer that is put together again is the layer', async () => {
  for (const frames of [2, 3, 4]) {
    const found = await read(await takeApart(frames), 'unchanged');
    assert.equal((found as unknown[]).length, 13);
  }
});

const VALUES: readonly unknown[] = [
  -1,
  0.5,
  0o10000,
  2 ** 32 - 1,
  2 ** 53,
  '',
  'a\0b',
  '../up',
  'x'.repeat(300),
  'y/'.repeat(3000),
  null,
  [['user.b', 'MQ']],
  [['', 5]],
];

test('a table that says anything else than its tar is CORRUPT', async () => {
  const parts = await takeApart();
  for (const [index, row] of parts.rows.entries()) {
    for (let field = 0; field < 15; field += 1) {
      const old = row[field];
      const values = [...VALUES, typeof old === 'number' ? old + 512 : `${old}2`];
      for (const value of values) {
        if (JSON.stringify(value) === JSON.stringify(old ?? null)) continue;
        const rows = parts.rows.with(index, withField(row, field, value));
        const what = `row ${index}, field ${field}: ${JSON.stringify(value)?.slice(0, 40)}`;
        assert.equal(await read({ ...parts, rows }, what), 'CORRUPT', what);
      }
    }
  }
});

test('a table that leaves anything out, has it twice or elsewhere is CORRUPT', async () => {
  const parts = await takeApart();
  const { rows, frames } = parts;
  const hidden = zstdCompressSync(frames[0]!);
  const skippable = Buffer.concat([Buffer.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0), Buffer.from('hide')]);
  const changes: Record<string, Partial<Parts>> = {
    'no entries': { rows: [] },
    'no frames': { frameRows: () => [] },
    ...Object.fromEntries(rows.map((_, i) => [`without entry ${i}`, { rows: rows.toSpliced(i, 1) }])),
    ...Object.fromEntries(rows.map((row, i) => [`entry ${i} twice`, { rows: rows.toSpliced(i, 0, row) }])),
    ...Object.fromEntries(
      rows.slice(1).map((row, i) => [`entry ${i} later`, { rows: rows.toSpliced(i, 2, row, rows[i]!) }]),
    ),
    ...Object.fromEntries(
      frames.flatMap((_, i) => [
        [`without frame ${i}`, { frameRows: (all: FrameRow[]) => all.toSpliced(i, 1) }],
        [`frame ${i} twice`, { frameRows: (all: FrameRow[]) => all.toSpliced(i, 0, all[i]!) }],
        [`something before frame ${i}`, { between: parts.between.with(i, hidden) }],
        [`skipped before frame ${i}`, { between: parts.between.with(i, skippable) }],
        ...[-1, 1, 512, 2 ** 40].flatMap((by) =>
          [0, 1, 2, 3].map((field) => [
            `field ${field} of frame ${i} by ${by}`,
            {
              frameRows: (all: FrameRow[]) =>
                all.with(i, all[i]!.with(field, (all[i]![field] as number) + by) as FrameRow),
            },
          ]),
        ),
      ]),
    ),
    'frames in another order': { frameRows: (all) => all.toReversed() },
    'something before the table': { between: parts.between.with(-1, hidden) },
    'skipped before the table': { between: parts.between.with(-1, skippable) },
    'entries behind the end': { frames: [...frames, frames[0]!], between: [...parts.between, hidden] },
    'no end': { frames: frames.with(-1, frames.at(-1)!.subarray(0, -1024)) },
    'half an end': { frames: frames.with(-1, frames.at(-1)!.subarray(0, -512)) },
    'zeros behind the end': { frames: frames.with(-1, Buffer.concat([frames.at(-1)!, Buffer.alloc(512)])) },
    'a head of its own': { table: (own) => Buffer.concat([Buffer.of(0x28), own.subarray(1)]) },
    'a shorter frame': {
      table: (own) => Buffer.concat([own.subarray(0, 4), Buffer.of(own[4]! - 1), own.subarray(5)]),
    },
    'something behind it': { table: (own) => Buffer.concat([own, hidden]) },
  };
  for (const [what, change] of Object.entries(changes))
    assert.equal(await read({ ...parts, ...change }, what), 'CORRUPT', what);
});

test('a tar that says anything else than its table is CORRUPT', async () => {
  const parts = await takeApart();
  const first = parts.frames[0]!;
  let headers = 0;
  for (let at = 0; at + 512 <= first.length; at += 512) {
    if (first.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    headers += 1;
    // Every field of the header, with a checksum that is right.
    for (const field of [0, 99, 106, 114, 122, 134, 146, 156, 157, 263, 265, 297, 335, 343, 345, 500]) {
      const frame = Buffer.from(first);
      frame[at + field]! ^= 1;
      seal(frame.subarray(at, at + 512));
      const frames = parts.frames.with(0, frame);
      assert.equal(await read({ ...parts, frames }, `${at} ${field}`), 'CORRUPT', `${at} ${field}`);
    }
  }
  assert.ok(headers > 7);
});

test('however a layer is changed, there are no two readings of it', async () => {
  const parts = await takeApart();
  const change = fc.record({
    kind: fc.constantFrom('tar', 'tar', 'row', 'swap', 'frame', 'between'),
    at: fc.nat(100_000),
    to: fc.nat(100_000),
    value: fc.oneof(fc.nat(255), fc.constantFrom(...VALUES)),
    seal: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      const changed = {
        ...parts,
        frames: parts.frames.map((frame) => Buffer.from(frame)),
        rows: [...parts.rows],
      };
      for (const { kind, at, to, value, seal: sealed } of changes) {
        const frame = changed.frames[at % changed.frames.length]!;
        const row = at % changed.rows.length;
        if (kind === 'tar') {
          const place = (to * 37) % Math.min(frame.length, 12_000);
          frame[place] = Number(value) & 255;
          const block = place - (place % 512);
          if (sealed) seal(frame.subarray(block, block + 512));
        } else if (kind === 'row') changed.rows[row] = withField(changed.rows[row]!, to % 14, value);
        else if (kind === 'swap') changed.rows[row] = changed.rows[to % changed.rows.length]!;
        else if (kind === 'frame') {
          const shorter = frame.subarray(0, frame.length - (to % 4) * 512);
          changed.frames = changed.frames.with(at % changed.frames.length, shorter);
        } else changed.between = changed.between.with(at % changed.between.length, Buffer.alloc(to % 20, 1));
      }
      await read(changed, '');
    }),
    { numRuns: 80 },
  );
});
