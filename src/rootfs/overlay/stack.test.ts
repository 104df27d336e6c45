import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../core/error.ts';
import { silent } from '../../core/events.ts';
import type { LayerBlob } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { extractLayers } from '../extract/extract.ts';
import { entryOf, fileOf, layerOf, type TestEntry } from '../extract/testing.ts';
import { createOverlayMounts } from './mounts.ts';
import { extractOnTop } from './stack.ts';

const sys = createSyscalls();
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'overlay-stack-'));
after(() => fs.rmSync(scratch, { recursive: true, force: true }));

const xattrs = (value: string) => ({ xattrs: new Map([['user.note', Buffer.from(value)]]) });
const below: readonly TestEntry[] = [
  entryOf('dir', 'etc', { mode: 0o2750, uid: 7, gid: 8, mtime: 1_500_000_000, ...xattrs('below') }),
  entryOf('dir', 'etc/deep', { mode: 0o1777, mtime: 1_500_000_001, mtimeNsec: 5 }),
  fileOf('etc/passwd', 'root', { mode: 0o600 }),
  entryOf('symlink', 'lib', { linkname: 'etc' }),
];

function directory(name: string): string {
  const made = fs.mkdtempSync(path.join(scratch, name));
  fs.chmodSync(made, 0o755);
  return made;
}

const extract = (layers: readonly LayerBlob[], target: string) =>
  extractLayers({ layers, target, privileged: true, emit: silent }, { sys });

/** Both ways to have layers on top of `lowest`: the trees that come out, the first undefined where it was refused. */
async function bothWays(lowest: readonly TestEntry[], above: readonly (readonly TestEntry[])[]) {
  const [bottom, ...upper] = await Promise.all(
    [lowest, ...above].map((entries) => layerOf(scratch, entries)),
  );
  const [base, top, whole] = [directory('base-'), directory('top-'), directory('whole-')];
  await extract([bottom!], base);
  fs.utimesSync(base, 1_400_000_000, 1_400_000_000);
  const done = await extractOnTop(upper, async () => base, top, { syscalls: sys, extract });
  if (!done) {
    assert.deepEqual(fs.readdirSync(top), []);
    return { stacked: undefined, whole: undefined };
  }
  await extract([bottom!, ...upper], whole);
  fs.utimesSync(whole, 1_400_000_000, 1_400_000_000);
  const mounts = createOverlayMounts(sys, directory('mounts-'));
  try {
    const mounted = mounts.mountReadOnly([base, top], directory('view-'));
    return { stacked: describeTree(mounted, sys), whole: describeTree(whole, sys) };
  } finally {
    mounts.unmountAll(0);
  }
}

test('a directory that the layers only pass through keeps what it is below', async () => {
  const { stacked, whole } = await bothWays(below, [
    [fileOf('etc/deep/new', 'x'), fileOf('etc/passwd', 'other'), fileOf('fresh/made/file', 'y')],
    [entryOf('dir', 'etc/deep/more', { mode: 0o700, uid: 9, ...xattrs('above') })],
  ]);
  assert.deepEqual(stacked, whole);
  const etc = stacked?.find((each) => each.path === 'etc');
  assert.deepEqual([etc?.mode, etc?.uid, etc?.gid], [0o2750, 7, 8]);
});

for (const [what, entries] of Object.entries<readonly TestEntry[]>({
  'a whiteout': [fileOf('etc/.wh.passwd', '')],
  'a path through a symlink below': [fileOf('lib/x', '')],
  'a path through a file below': [fileOf('etc/passwd/x', '')],
  'a directory in the place of a file': [entryOf('dir', 'etc/passwd')],
  'a hard link to a file below': [entryOf('hardlink', 'link', { linkname: 'etc/passwd' })],
  'a device that is a whiteout to overlayfs': [entryOf('char', 'etc/passwd')],
})) {
  test(`${what} is left to the union`, async () => {
    assert.equal((await bothWays(below, [entries])).stacked, undefined);
  });
}

test('a file that is a directory in the next layer is left to the union', async () => {
  const { stacked } = await bothWays(below, [[fileOf('a', '')], [entryOf('dir', 'a')]]);
  assert.equal(stacked, undefined);
});

test('a layer without a table of contents is left to the union', async () => {
  const layer = await layerOf(scratch, [fileOf('a', '')], 'gzip');
  const deps = { syscalls: sys, extract: () => assert.fail('nothing is to be written') };
  assert.equal(await extractOnTop([layer], async () => directory('base-'), directory('top-'), deps), false);
});

test('a table of contents that cannot be read names its layer', async () => {
  const layer = await layerOf(scratch, [fileOf('a', '')]);
  const broken = { ...layer, readRange: async (_: number, length: number) => Buffer.alloc(length) };
  const deps = { syscalls: sys, extract: () => assert.fail('nothing is to be written') };
  await assert.rejects(
    extractOnTop([broken], async () => directory('base-'), directory('top-'), deps),
    (error: AppError) => error.code === 'CORRUPT' && error.where?.layer === layer.digest,
  );
});

const name = fc.constantFrom('a', 'b', 'c');
const entry = fc
  .record({
    path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/')),
    type: fc.constantFrom('file', 'file', 'dir', 'dir', 'symlink', 'hardlink', 'gone'),
    mode: fc.constantFrom(0o755, 0o4711, 0o1777),
    uid: fc.constantFrom(0, 1000),
    mtime: fc.integer({ min: 0, max: 1_700_000_000 }),
    link: fc.constantFrom('a', 'b', 'a/a'),
  })
  .map(({ path: at, type, link, ...over }): TestEntry => {
    if (type === 'gone') return fileOf(path.join(path.dirname(at), `.wh.${path.basename(at)}`), '');
    if (type === 'file') return fileOf(at, `${over.mtime}`, over);
    if (type === 'dir') return entryOf('dir', at, { ...over, ...xattrs(at) });
    return entryOf(type as 'symlink' | 'hardlink', at, { linkname: link, ...over, mode: 0o777 });
  });
const layer = fc.uniqueArray(entry, { maxLength: 6, selector: (each) => each.entry.path });

/** Whether the layers are such that an extraction takes them. */
async function areValid(stack: readonly (readonly TestEntry[])[]): Promise<boolean> {
  const layers = await Promise.all(stack.map((entries) => layerOf(scratch, entries)));
  return extract(layers, directory('tried-')).then(
    () => true,
    (error: unknown) => {
      assert.ok(error instanceof AppError, String(error));
      return false;
    },
  );
}

test('what is stacked is what the union would be, or refused', async () => {
  let stackedRuns = 0;
  await fc.assert(
    fc.asyncProperty(layer, fc.array(layer, { minLength: 1, maxLength: 2 }), async (lowest, above) => {
      fc.pre(await areValid([lowest, ...above]));
      const { stacked, whole } = await bothWays(lowest, above);
      if (stacked) stackedRuns += 1;
      assert.deepEqual(stacked, whole);
    }),
    { numRuns: 60 },
  );
  assert.ok(stackedRuns > 5, `only ${stackedRuns} were stacked`);
});
