import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { LayerRef } from '../../cache/types.ts';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { tempDir } from '../../core/testing.ts';
import { bytesSource } from '../../oci/blob-source.ts';
import { createDirectoryStore } from '../../oci/dir-store.ts';
import { createRegistryClient } from '../../oci/http/client.ts';
import { MEDIA_TYPES } from '../../oci/media-types.ts';
import { createRemoteStore } from '../../oci/remote-store.ts';
import { collect, startFakeRegistry } from '../../oci/testing/fake-registry.ts';
import { FAST } from '../../oci/testing/fake-store.ts';
import { createLayerLocator } from './layer-blobs.ts';
import { createSmallLayers, SMALL_LAYER } from './small-layers.ts';

const layerOf = (bytes: Buffer): LayerRef => ({
  mediaType: MEDIA_TYPES.ociLayerZstd,
  digest: digestOf(bytes),
  size: bytes.length,
  diffId: digestOf(bytes),
});

async function setUp(t: TestContext, sizes: readonly number[]) {
  const registry = await startFakeRegistry();
  const client = createRegistryClient({ retry: { ...FAST, attempts: 1 } });
  t.after(async () => {
    await client.close();
    await registry.close();
  });
  const contents = sizes.map((size) => randomBytes(size));
  for (const bytes of contents) registry.addBlob(bytes);
  const store = createRemoteStore({ client, registry: registry.host, repository: 'a/b' });
  const seen = (): string[] => registry.seen.splice(0).map(({ method }) => method);
  await store.has(digestOf('nothing'));
  seen();
  return { registry, store, contents, layers: contents.map(layerOf), seen };
}

test('a small layer takes one request, whatever is read of it', async (t) => {
  const { store, contents, layers, seen } = await setUp(t, [1, 700, SMALL_LAYER]);
  const small = createSmallLayers(store);
  const locator = createLayerLocator(store, small);
  for (const [i, layer] of layers.entries()) {
    const bytes = contents[i]!;
    assert.equal(await small.has(layer), layer.size);
    assert.equal(await small.has(layer), layer.size);
    const blob = locator.blob(layer);
    assert.ok((await blob.readRange(0, layer.size)).equals(bytes));
    const middle = Math.floor(layer.size / 2);
    assert.ok((await blob.readRange(middle, layer.size - middle)).equals(bytes.subarray(middle)));
    const into = Buffer.alloc(layer.size);
    assert.equal(await blob.readRange(0, layer.size, into), into);
    assert.ok(into.equals(bytes));
    assert.ok((await collect(await blob.open())).equals(bytes));
    await assert.rejects(
      blob.readRange(1, layer.size),
      (error) => error instanceof AppError && error.code === 'CORRUPT' && error.where?.layer === layer.digest,
    );
    // A push of it need not ask again.
    assert.equal(await store.put(bytesSource(bytes)), 'exists');
    assert.ok(locator.fromStore(layer.digest));
  }
  assert.deepEqual(seen(), ['GET', 'GET', 'GET']);
});

test('other layers are asked for, and read where they are', async (t) => {
  const { store, contents, layers, seen } = await setUp(t, [SMALL_LAYER + 1]);
  const small = createSmallLayers(store);
  assert.equal(await small.has(layers[0]!), layers[0]!.size);
  assert.equal(small.bytes(layers[0]!.digest), undefined);
  const read = await createLayerLocator(store, small).blob(layers[0]!).readRange(0, 10);
  assert.ok(read.equals(contents[0]!.subarray(0, 10)));
  assert.deepEqual(seen(), ['HEAD', 'GET']);
});

test('a layer that is gone, has another size or other bytes is only asked for: its reader finds out', async (t) => {
  const { registry, store, contents, layers } = await setUp(t, [10, 10, 10]);
  const [gone, longer, other] = layers as [LayerRef, LayerRef, LayerRef];
  registry.blobs.delete(gone.digest);
  registry.blobs.set(other.digest, randomBytes(10));
  const small = createSmallLayers(store);
  assert.equal(await small.has(gone), undefined);
  for (const size of [9, 11]) assert.equal(await small.has({ ...longer, size }), contents[1]!.length);
  assert.equal(await small.has(other), 10);
  for (const { digest } of layers) assert.equal(small.bytes(digest), undefined);
});

test('what is kept has an end', async (t) => {
  const count = 300;
  const { store, layers } = await setUp(t, Array(count).fill(SMALL_LAYER));
  const small = createSmallLayers(store);
  for (const layer of layers) assert.equal(await small.has(layer), layer.size);
  assert.equal(layers.filter(({ digest }) => small.bytes(digest)).length, 256);
});

test('a directory is asked for its layers, and a build that ends is not gone on with', async (t) => {
  const { store, layers } = await setUp(t, [10]);
  const directory = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const bytes = Buffer.from('a layer');
  await directory.put(bytesSource(bytes));
  const inDirectory = createSmallLayers(directory);
  assert.equal(await inDirectory.has(layerOf(bytes)), bytes.length);
  assert.equal(inDirectory.bytes(digestOf(bytes)), undefined);
  const reason = new AppError('ABORTED', 'interrupted');
  await assert.rejects(createSmallLayers(store).has(layers[0]!, AbortSignal.abort(reason)), reason);
});
