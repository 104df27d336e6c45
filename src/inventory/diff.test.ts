import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { silent } from '../core/events.ts';
import { scratchDir } from '../core/testing.ts';
import type { Compression, LayerBlob } from '../layer/types.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { resolveImage } from '../oci/image.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { createMemoryStore } from '../oci/memory-store.ts';
import { parsePlatform } from '../oci/platform.ts';
import { parseReference } from '../oci/reference.ts';
import type { HistoryEntry, Image, ImageConfig, Store } from '../oci/types.ts';
import { entryOf, fileOf, layerOf, type TestEntry } from '../rootfs/extract/testing.ts';
import { diffOf } from './diff.ts';
import { diffFiles } from './diff-files.ts';
import type { FileChange } from './types.ts';

const scratch = scratchDir('image-diff');
const { signal } = new AbortController();

const short = ({ change, path, before, after, aspects }: FileChange): string =>
  [change, path, before, after, ...aspects].join(' ');

/** The files that differ, for images of one layer each. */
async function between(
  first: readonly TestEntry[],
  second: readonly TestEntry[],
  compression: Compression = 'zstd',
): Promise<readonly string[]> {
  const blobs = [await layerOf(scratch, first, compression), await layerOf(scratch, second, compression)];
  return (await diffFiles([blobs[0]!], [blobs[1]!], signal)).map(short);
}

const CHANGES: Readonly<
  Record<string, readonly [readonly TestEntry[], readonly TestEntry[], readonly string[]]>
> = {
  'a file that is new': [[], [fileOf('a', 'new')], ['added a  3']],
  'a file that is gone': [[fileOf('a', 'old')], [], ['removed a 3 ']],
  'other content of the same size': [[fileOf('a', 'one')], [fileOf('a', 'two')], ['changed a 3 3 content']],
  'another size': [[fileOf('a', 'one')], [fileOf('a', 'three')], ['changed a 3 5 content']],
  'another time alone': [[fileOf('a', 'one')], [fileOf('a', 'one', { mtime: 7 })], []],
  'another mode': [[fileOf('a', '1')], [fileOf('a', '1', { mode: 0o755 })], ['changed a 1 1 mode']],
  'another owner': [[fileOf('a', '1')], [fileOf('a', '1', { gid: 5 })], ['changed a 1 1 owner']],
  'another attribute': [
    [fileOf('a', '1')],
    [fileOf('a', '1', { xattrs: new Map([['user.x', Buffer.from('y')]]) })],
    ['changed a 1 1 attributes'],
  ],
  'another target': [
    [entryOf('symlink', 'a', { linkname: 'b' })],
    [entryOf('symlink', 'a', { linkname: 'c' })],
    ['changed a 0 0 target'],
  ],
  'another device': [
    [entryOf('char', 'a', { devmajor: 1 })],
    [entryOf('char', 'a', { devmajor: 2 })],
    ['changed a 0 0 device'],
  ],
  'a directory in the place of a file': [
    [fileOf('a', 'one')],
    [entryOf('dir', 'a'), fileOf('a/b', 'two')],
    ['changed a 3 0 type', 'added a/b  3'],
  ],
  'a file in the place of a directory': [
    [entryOf('dir', 'a'), fileOf('a/b', 'two')],
    [fileOf('a', 'one')],
    ['changed a 0 3 type', 'removed a/b 3 '],
  ],
  'another mode of a directory': [
    [entryOf('dir', 'a')],
    [entryOf('dir', 'a', { mode: 0o700 })],
    ['changed a 0 0 mode'],
  ],
  'another content of a hard link': [
    [fileOf('a', 'one'), entryOf('hardlink', 'b', { linkname: 'a' })],
    [fileOf('a', 'two'), entryOf('hardlink', 'b', { linkname: 'a' })],
    ['changed a 3 3 content', 'changed b 3 3 content'],
  ],
  'a hard link in the place of a file': [
    [fileOf('a', 'one'), fileOf('b', 'one')],
    [fileOf('a', 'one'), entryOf('hardlink', 'b', { linkname: 'a' })],
    [],
  ],
};

for (const [name, [first, second, expected]] of Object.entries(CHANGES))
  for (const compression of ['zstd', 'gzip', 'none'] as const)
    test(`between two images: ${name}, ${compression}`, async () => {
      assert.deepEqual(await between(first, second, compression), expected);
    });

test('what upper layers do to lower ones is compared, not how they do it', async () => {
  const base = await layerOf(scratch, [
    entryOf('dir', 'd'),
    fileOf('d/a', 'aa'),
    fileOf('d/b', 'b'),
    fileOf('c', 'c'),
  ]);
  const upper = await layerOf(scratch, [
    fileOf('d/.wh.a', ''),
    fileOf('d/b', 'b', { mtime: 9 }),
    fileOf('c', 'c', { mode: 0o600 }),
  ]);
  const opaque = await layerOf(scratch, [
    entryOf('dir', 'd'),
    fileOf('d/.wh..wh..opq', ''),
    fileOf('d/n', 'nn'),
  ]);
  const of = async (first: LayerBlob[], second: LayerBlob[]) =>
    (await diffFiles(first, second, signal)).map(short);
  assert.deepEqual(await of([base], [base, upper]), ['changed c 1 1 mode', 'removed d/a 2 ']);
  assert.deepEqual(await of([base, upper], [base]), ['changed c 1 1 mode', 'added d/a  2']);
  assert.deepEqual(await of([base, upper], [base, opaque]), [
    'changed c 1 1 mode',
    'removed d/b 1 ',
    'added d/n  2',
  ]);
  assert.deepEqual(await of([base, upper], [base, upper]), []);
});

test('layers in any arrangement differ as their files do', async () => {
  const tree = fc.dictionary(
    fc.constantFrom('a', 'b', 'd/a', 'd/e/f', 'g/h'),
    fc.constantFrom('x', 'y', 'zz'),
  );
  await fc.assert(
    fc.asyncProperty(tree, tree, async (old, young) => {
      const files = (some: Readonly<Record<string, string>>) =>
        Object.entries(some).map(([path, content]) => fileOf(path, content));
      const gone = Object.keys(old).filter((path) => !(path in young));
      const whiteouts = gone.map((path) => fileOf(path.replace(/[^/]+$/, '.wh.$&'), ''));
      const base = await layerOf(scratch, files(old));
      const alone = await layerOf(scratch, files(young), 'gzip');
      const upper = await layerOf(scratch, [...whiteouts, ...files(young)]);
      const expected = [...new Set([...Object.keys(old), ...Object.keys(young)])]
        .filter((path) => old[path] !== young[path])
        .sort();
      for (const second of [[alone], [base, upper]]) {
        const found = await diffFiles([base], second, signal);
        assert.deepEqual(
          found.filter(({ type }) => type === 'file').map(({ path }) => path),
          expected,
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('a layer that is damaged or leaves the root is an error that names it', async () => {
  const good = await layerOf(scratch, [fileOf('a', 'a')]);
  const bad = { ...(await layerOf(scratch, [fileOf('b', 'b'.repeat(9000))], 'gzip')) };
  const cut: LayerBlob = { ...bad, open: async () => createReadStream(bad.file, { end: 40 }) };
  const lost = await layerOf(scratch, [entryOf('hardlink', 'x', { linkname: 'nowhere' })]);
  for (const layer of [cut, lost])
    await assert.rejects(
      diffFiles([good], [good, layer], signal),
      (error) =>
        error instanceof AppError && error.code === 'CORRUPT' && error.message.includes(layer.digest),
    );
});

test('an image that is compared after the command was interrupted is not read', async () => {
  const layer = await layerOf(scratch, [fileOf('a', 'a')]);
  await assert.rejects(diffFiles([], [layer], AbortSignal.abort(new Error('enough'))), /enough/);
});

/** Puts an image into a store. */
async function imageIn(
  store: Store,
  tag: string,
  layers: readonly LayerBlob[],
  {
    config = {},
    history,
  }: { readonly config?: ImageConfig['config'] & object; readonly history?: readonly HistoryEntry[] },
): Promise<Image> {
  const bytes = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
      ...(history ? { history } : {}),
    }),
  );
  await store.put(bytesSource(bytes));
  for (const layer of layers) await store.put(bytesSource(await layer.readRange(0, layer.size)));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(bytes), size: bytes.length },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  await store.tag(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.ociManifest, tag);
  return resolveImage(store, parseReference(`x.test/image:${tag}`), parsePlatform('linux/amd64'));
}

test('layers are told with what made them, and parts of the config by their names', async () => {
  const store = createMemoryStore();
  const base = await layerOf(scratch, [fileOf('a', 'a')]);
  const again = await layerOf(scratch, [fileOf('a', 'a')], 'gzip');
  const one = await layerOf(scratch, [fileOf('b', '1')]);
  const two = await layerOf(scratch, [fileOf('b', '22')]);
  const history = (by: string) => [
    { created_by: 'FROM' },
    { created_by: 'ENV', empty_layer: true },
    { created_by: by },
  ];
  const first = await imageIn(store, 'first', [base, one], {
    config: {
      User: 'me',
      Env: ['PATH=/bin', 'GONE=1', 'SAME=s'],
      Labels: { v: '1' },
      Cmd: ['sh'],
      ExposedPorts: { '80/tcp': {} },
    },
    history: history('RUN one'),
  });
  const second = await imageIn(store, 'second', [again, two], {
    config: {
      Env: ['SAME=s', 'PATH=/sbin:/bin=x', 'NEW='],
      Labels: { v: '2' },
      Cmd: ['sh', '-c'],
      Volumes: { '/v': {} },
    },
    history: history('RUN two'),
  });
  const diff = await diffOf(first, second, { emit: silent, signal });
  assert.deepEqual(
    diff.layers.shared.map(({ createdBy }) => createdBy),
    ['FROM'],
  );
  assert.deepEqual(diff.layers.onlyFirst, [
    { digest: one.digest, size: one.size, diffId: one.diffId, createdBy: 'RUN one' },
  ]);
  assert.deepEqual(
    diff.layers.onlySecond.map(({ createdBy }) => createdBy),
    ['RUN two'],
  );
  const changes = Object.fromEntries(diff.config.map(({ name, before, after }) => [name, [before, after]]));
  assert.deepEqual(changes, {
    user: ['me', null],
    command: ['["sh"]', '["sh","-c"]'],
    'port 80/tcp': ['exposed', null],
    'volume /v': [null, 'declared'],
    'env PATH': ['/bin', '/sbin:/bin=x'],
    'env GONE': ['1', null],
    'env NEW': [null, ''],
    'label v': ['1', '2'],
  });
  assert.deepEqual(diff.files.map(short), ['changed b 1 2 content']);
  assert.deepEqual([diff.first.layers, diff.first.bytes], [2, base.size + one.size]);
});

test('images of the same layers are compared without reading one, and odd histories name nothing', async () => {
  const store = createMemoryStore();
  const layer = await layerOf(scratch, [fileOf('a', 'a')]);
  const first = await imageIn(store, 'first', [layer, layer], { history: [{ created_by: 'one of two' }] });
  const second = await imageIn(store, 'second', [layer, layer], { config: { User: 'me' } });
  const unread: Store = { ...store, get: () => Promise.reject(new Error('read')) };
  const diff = await diffOf(
    { ...first, store: unread },
    { ...second, store: unread },
    { emit: silent, signal },
  );
  assert.deepEqual(
    diff.layers.shared.map(({ createdBy }) => createdBy),
    [null, null],
  );
  assert.deepEqual([diff.layers.onlyFirst, diff.layers.onlySecond, diff.files], [[], [], []]);
  assert.deepEqual(
    diff.config.map(({ name }) => name),
    ['user'],
  );
  const shorter = await imageIn(store, 'shorter', [layer], {});
  const twice = await diffOf(first, shorter, { emit: silent, signal });
  assert.deepEqual([twice.layers.shared.length, twice.layers.onlyFirst.length, twice.files], [1, 1, []]);
});
