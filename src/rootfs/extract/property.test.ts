import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../core/error.ts';
import { convertLayer } from '../../layer/convert.ts';
import type { Compression, LayerBlob } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree, type PathDescription } from '../describe-tree.ts';
import { extractLayers } from './extract.ts';
import { entryOf, fileBlob, fileOf, layerOf, type TestEntry, withOverlay } from './testing.ts';

const sys = createSyscalls();
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'extract-property-'));
after(() => fs.rmSync(base, { recursive: true, force: true }));

type Kind = 'file' | 'dir' | 'symlink' | 'hardlink' | 'gone' | 'opaque' | 'empty';

const name = fc.constantFrom('a', 'b', 'c');
const step = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
  kind: fc.constantFrom<Kind>(
    'file',
    'file',
    'dir',
    'symlink',
    'hardlink',
    'gone',
    'gone',
    'opaque',
    'empty',
  ),
  mode: fc.constantFrom(0o755, 0o600, 0o4711, 0o1777),
  owner: fc.constantFrom(0, 0, 1000),
  mtime: fc.integer({ min: 0, max: 1_700_000_000 }),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A layer as any tool would write it: each path once, every parent with an entry, links to what came before. */
function toLayer(steps: readonly Step[], index: number): TestEntry[] {
  const kinds = new Map<string, Kind>();
  const entries: TestEntry[] = [entryOf('dir', '', { mtime: index })];
  const files: string[] = [];
  for (const { path: at, kind, mode, owner, mtime } of steps) {
    const parents = at
      .split('/')
      .slice(0, -1)
      .map((_, depth) =>
        at
          .split('/')
          .slice(0, depth + 1)
          .join('/'),
      );
    const blocked = [...parents, ...(kind === 'opaque' ? [at] : [])].some(
      (each) => (kinds.get(each) ?? 'dir') !== 'dir',
    );
    if (blocked || (kinds.has(at) && kind !== 'opaque')) continue;
    const over = { mode, uid: owner, gid: owner, mtime };
    for (const each of kind === 'opaque' ? [...parents, at] : parents) {
      if (!kinds.has(each)) entries.push(entryOf('dir', each, { mtime: mtime + 1 }));
      kinds.set(each, 'dir');
    }
    if (kind !== 'opaque') kinds.set(at, kind);
    if (kind === 'file' || kind === 'empty') {
      entries.push(fileOf(at, kind === 'empty' ? '' : `${index}:${at}`.repeat(1 + (mtime % 50)), over));
      files.push(at);
    } else if (kind === 'dir') entries.push(entryOf('dir', at, over));
    else if (kind === 'symlink')
      entries.push(entryOf('symlink', at, { ...over, mode: 0o777, linkname: `../${at}` }));
    else if (kind === 'gone')
      entries.push(fileOf(path.join(path.dirname(at), `.wh.${path.basename(at)}`), ''));
    else if (kind === 'opaque') entries.push(fileOf(`${at}/.wh..wh..opq`, ''));
    else if (files.length > 0)
      entries.push(entryOf('hardlink', at, { linkname: files[mtime % files.length]! }));
  }
  return entries;
}

async function unpack(
  stack: readonly TestEntry[][],
  compressions: readonly Compression[],
  overlapFrom = 0,
): Promise<PathDescription[]> {
  const layers = await Promise.all(
    stack.map((entries, index) => layerOf(base, entries, compressions[index]!)),
  );
  return unpackLayers(layers, overlapFrom);
}

async function unpackLayers(layers: readonly LayerBlob[], overlapFrom: number): Promise<PathDescription[]> {
  const target = fs.mkdtempSync(path.join(base, 'target-'));
  await extractLayers(
    { layers, target, privileged: true, emit: () => {} },
    { sys, overlapFrom, inlineBytes: overlapFrom },
  );
  return describeTree(target);
}

/** The layer with its copy, as a directory of base images has them. */
async function withCopy(layer: LayerBlob): Promise<LayerBlob> {
  const file = path.join(base, `copy-${process.hrtime.bigint()}`);
  const { size, toc } = await convertLayer(layer, file);
  return { ...layer, ...fileBlob(file), size, toc: toc! };
}

/** A tree, or what is wrong with it. */
const outcome = (work: Promise<PathDescription[]>): Promise<PathDescription[] | string> =>
  work.catch((error: unknown) => {
    if (error instanceof AppError) return error.code;
    throw error;
  });

/** The stack with hard links to whatever the given paths mean in layers below, or to nothing. */
function withLinks(stack: readonly TestEntry[][], links: readonly Link[]): TestEntry[][] {
  return stack.map((entries, index) => {
    const paths = new Set(entries.map(({ entry }) => entry.path));
    const mine = links.filter(({ layer, at }) => layer === index && !paths.has(at));
    return [...entries, ...mine.map(({ at, to }) => entryOf('hardlink', at, { linkname: to }))];
  });
}

const pathOf = fc.array(name, { minLength: 1, maxLength: 2 }).map((parts) => parts.join('/'));
const link = fc.record({ layer: fc.integer({ min: 1, max: 3 }), at: pathOf, to: pathOf });
type Link = typeof link extends fc.Arbitrary<infer T> ? T : never;

const stacks = fc
  .array(fc.array(step, { maxLength: 12 }), { minLength: 1, maxLength: 4 })
  .map((layers) => layers.map(toLayer));

test('however its layers are stored, a union is what overlayfs makes of it', async () => {
  const storage = fc.array(fc.constantFrom<Compression>('zstd', 'zstd', 'gzip', 'none'), {
    minLength: 4,
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(stacks, storage, async (stack, compressions) => {
      const expected = await withOverlay(base, stack, (mounted) => describeTree(mounted));
      assert.deepEqual(await unpack(stack, compressions), expected);
    }),
    { numRuns: 30 },
  );
});

test('what is told of contents is what files hold, however their layers are stored', async () => {
  const storage = fc.array(fc.constantFrom<Compression>('zstd', 'gzip', 'none', 'none'), {
    minLength: 4,
    maxLength: 4,
  });
  let told = 0;
  await fc.assert(
    fc.asyncProperty(stacks, storage, fc.constantFrom(0, Infinity), async (stack, compressions, overlap) => {
      const layers = await Promise.all(
        stack.map((entries, index) => layerOf(base, entries, compressions[index]!)),
      );
      const target = fs.mkdtempSync(path.join(base, 'target-'));
      const digests = new Map<string, string>();
      await extractLayers(
        {
          layers,
          target,
          privileged: true,
          emit: () => {},
          digests: {
            wants: (size) => size < 200,
            set: (at, sha256) => (sha256 ? digests.set(at, sha256) : digests.delete(at)),
            keep: (isKept) => {
              for (const at of digests.keys()) if (!isKept(at)) digests.delete(at);
            },
          },
        },
        { sys, overlapFrom: overlap, inlineBytes: overlap },
      );
      // Of what a later layer takes away, or has something else instead of, nobody asks.
      for (const { path: at, type } of describeTree(target)) {
        const sha256 = digests.get(at);
        if (type !== 'file' || sha256 === undefined) continue;
        assert.equal(hash('sha256', fs.readFileSync(path.join(target, at))), sha256, at);
        told += 1;
      }
      const isStreamed = stack.every((_, i) => compressions[i] !== 'zstd');
      const last = stack
        .at(-1)!
        .filter(({ entry, content }) => content && entry.size > 0 && entry.size < 200);
      if (isStreamed)
        assert.deepEqual(
          last.filter(({ entry }) => !digests.has(entry.path)),
          [],
        );
    }),
    { numRuns: 100 },
  );
  assert.ok(told > 0);
});

test('writing once gives what applying in order gives', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, async (stack) => {
      const once = await unpack(stack, Array(4).fill('zstd'));
      assert.deepEqual(once, await unpack(stack, Array(4).fill('none')));
      assert.deepEqual(once, await unpack(stack, ['none', 'zstd', 'zstd', 'zstd'], Infinity));
    }),
    { numRuns: 100 },
  );
});

test('writing upper layers beside a stream gives what writing them after it gives', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, fc.array(link, { maxLength: 4 }), async (stack, links) => {
      // A stream cannot link to what its own layer took away, so links to lower layers are in the others only.
      for (const [layers, streamed] of [
        [withLinks(stack, links), 1],
        [stack, 2],
      ] as const) {
        const ways = Array.from({ length: 4 }, (_, i): Compression => (i < streamed ? 'none' : 'zstd'));
        const after = await outcome(unpack(layers, ways, Infinity));
        assert.deepEqual(await outcome(unpack(layers, ways)), after);
      }
    }),
    { numRuns: 150 },
  );
});

test('whatever unpacks does so from the copies of its layers as well, alone and among others', async () => {
  await fc.assert(
    fc.asyncProperty(stacks, fc.array(link, { maxLength: 3 }), fc.nat(15), async (stack, links, which) => {
      const layers = await Promise.all(
        withLinks(stack, links).map((entries) => layerOf(base, entries, 'gzip')),
      );
      const copies = await Promise.all(
        layers.map(async (layer, i) => ((which >> i) & 1 ? withCopy(layer) : layer)),
      );
      const expected = await outcome(unpackLayers(layers, Infinity));
      // A link that takes the place of a directory above its target is an error only where layers are written in order.
      if (typeof expected === 'string') return;
      for (const overlapFrom of [0, Infinity])
        assert.deepEqual(await outcome(unpackLayers(copies, overlapFrom)), expected);
    }),
    { numRuns: 30 },
  );
});

test('a layer that is damaged, or not what its image says, gets no copy, and leaves no file', async () => {
  const good = await layerOf(base, [fileOf('file', 'x'.repeat(100_000))], 'gzip');
  const bytes = fs.readFileSync(good.file);
  const damaged = path.join(base, 'damaged');
  fs.writeFileSync(damaged, bytes.subarray(0, bytes.length - 20));
  const file = path.join(base, 'no-copy');
  for (const layer of [
    { ...good, ...fileBlob(damaged) },
    { ...good, diffId: good.digest },
  ]) {
    await assert.rejects(convertLayer(layer, file), { code: 'CORRUPT' });
    assert.equal(fs.existsSync(file), false);
  }
  const copy = await convertLayer(good, file);
  assert.equal(copy.size, fs.statSync(file).size);
});
