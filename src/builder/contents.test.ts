import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../core/digest.ts';
import type { ImageContents } from '../core/observer.ts';
import { EMPTY_FILE } from '../tar/empty-file.ts';
import type { LayerEntry } from '../tar/types.ts';
import { createContents, type LookedInto } from './contents.ts';

const file = (path: string, size: number): LayerEntry => ({ ...EMPTY_FILE, path, size });
const link = (path: string, linkname: string): LayerEntry => ({
  ...EMPTY_FILE,
  path,
  linkname,
  type: 'hardlink',
});
const directory = (path: string): LayerEntry => ({ ...EMPTY_FILE, path, type: 'dir' });

/** What is told of an image of these layers, of which those that are undefined were never here. */
async function described(...layers: readonly (readonly LayerEntry[] | undefined)[]): Promise<ImageContents> {
  const contents = createContents();
  const digests = layers.map((_, index): Digest => `sha256:${index}`);
  for (const [index, entries] of layers.entries())
    if (entries) entries.forEach(contents.seen(digests[index]!));
  const config = { history: [{ created_by: 'base' }, { created_by: 'ENV x', empty_layer: true }] };
  const one = {
    plan: {
      stages: new Map([
        [0, { base: { type: 'scratch' }, steps: [{ text: 'RUN one' }, { text: 'RUN two' }] }],
      ]),
      target: 0,
      imagePlatform: { os: 'linux', architecture: 'amd64' },
    },
    image: {
      manifest: Buffer.from('m'),
      config: Buffer.from(JSON.stringify(config)),
      layers: digests.map((digest) => ({ digest, size: 5 })),
      baseLayers: [{}],
    },
    bits: '01',
    local: () => undefined,
    made: (digest: string) => digest === 'sha256:1',
  } as unknown as LookedInto;
  const [image] = await contents.describe([one], new AbortController().signal);
  return image!;
}

test('layers are told with their largest files and what made them', async () => {
  const base = [directory('a'), ...Array.from({ length: 12 }, (_, i) => file(`a/${i}`, i))];
  const { layers, size, waste } = await described(base, [file('b', 7), file('.wh.a', 0)]);
  assert.equal(size, 10);
  assert.deepEqual(
    layers.map(({ origin, createdBy }) => [origin, createdBy]),
    [
      ['base', 'base'],
      ['built', 'RUN two'],
    ],
  );
  assert.deepEqual([layers[0]!.files?.count, layers[0]!.files?.bytes], [12, 66]);
  assert.deepEqual(
    layers[0]!.files?.largest.map(({ bytes }) => bytes),
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
  );
  // A whiteout is no file.
  assert.deepEqual(layers[1]!.files, { count: 1, bytes: 7, largest: [{ path: 'b', bytes: 7 }] });
  assert.deepEqual([waste.count, waste.bytes, waste.complete], [11, 66, true]);
});

test('files that are replaced or removed are wasted, once', async () => {
  const { waste } = await described(
    [directory('d'), file('d/x', 10), file('d/y', 20), file('keep', 30), link('again', 'keep'), file('z', 1)],
    [file('d/x', 11), directory('d')],
    [file('d/.wh..wh..opq', 0), file('.wh.z', 0), file('.wh.again', 0), file('.wh.nothing', 0)],
  );
  assert.deepEqual(
    waste.largest.map(({ path, bytes, what, layer, by }) => [path, bytes, what, layer, by]),
    [
      ['d/y', 20, 'removed', 0, 2],
      ['d/x', 11, 'removed', 1, 2],
      ['d/x', 10, 'replaced', 0, 1],
      ['z', 1, 'removed', 0, 2],
    ],
  );
});

test('a layer that was never here is told without files, and waste is not all of it', async () => {
  const { layers, waste } = await described(
    undefined,
    [file('a', 3), link('b', 'below')],
    [file('.wh.a', 0)],
  );
  assert.deepEqual(
    layers.map(({ files }) => files?.count),
    [undefined, 1, 0],
  );
  assert.deepEqual([waste.complete, waste.bytes], [false, 3]);
});

test('a layer that is read again counts as it was read at last', async () => {
  const contents = createContents();
  contents.seen('sha256:0')(file('damaged', 5));
  contents.seen('sha256:0')(file('whole', 6));
  const image = {
    manifest: Buffer.from('m'),
    config: Buffer.from('{}'),
    layers: [{ digest: 'sha256:0', size: 1 }],
    baseLayers: [],
  };
  const plan = { stages: new Map(), target: 0, imagePlatform: { os: 'linux', architecture: 'amd64' } };
  const one = { plan, image, bits: '', local: () => undefined, made: () => false } as unknown as LookedInto;
  const [told] = await contents.describe([one], new AbortController().signal);
  assert.deepEqual(told!.layers[0]!.files?.largest, [{ path: 'whole', bytes: 6 }]);
});
