import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Digest, digestOf, hexOf } from '../../core/digest.ts';
import { scratchDir } from '../../core/testing.ts';
import { ustarEnd, ustarHeader, ustarPadding } from '../../tar/file-header.ts';
import { MEDIA_TYPES } from '../media-types.ts';
import { readAll } from '../readable.ts';
import { createKanikoStore } from './kaniko-store.ts';

const dir = scratchDir('kaniko');

const config = Buffer.from('{"config":true}');
const layer = Buffer.from('layer content '.repeat(100));
const describe = (mediaType: string, bytes: Buffer) => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: describe(MEDIA_TYPES.ociConfig, config),
    layers: [describe(MEDIA_TYPES.ociLayerGzip, layer)],
  }),
);
const digest = digestOf(manifest);
const layerName = `${hexOf(digestOf(layer))}.tar.gz`;
const list = Buffer.from(JSON.stringify([{ Config: digestOf(config), RepoTags: null, Layers: [layerName] }]));
const archive = Buffer.concat([
  ...(
    [
      [digestOf(config), config],
      [layerName, layer],
      ['manifest.json', list],
    ] as const
  ).flatMap(([name, bytes]) => [ustarHeader(name, bytes.length), bytes, ustarPadding(bytes.length)]),
  ustarEnd(),
]);

function write(bytes: Buffer): ReturnType<typeof createKanikoStore> {
  writeFileSync(join(dir, digest), bytes);
  writeFileSync(join(dir, `${digest}.json`), manifest);
  return createKanikoStore(dir);
}

const read = async (store: ReturnType<typeof createKanikoStore>, of: Digest): Promise<Buffer> =>
  readAll(await store.get(of), 1e6, () => new Error('too long'));

test('blobs are read out of the archive, whole and in part', async () => {
  const store = write(archive);
  assert.equal((await store.resolve(digest))?.descriptor.digest, digest);
  assert.deepEqual(await read(store, digestOf(layer)), layer);
  assert.equal(await store.has(digestOf(config)), config.length);
  const part = await store.get(digestOf(layer), { offset: 6, length: 7 });
  assert.equal((await readAll(part, 100, () => new Error('too long'))).toString(), 'content');
});

test('an archive that is cut off anywhere counts as absent, or is whole in what matters', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: archive.length - 1 }), async (length) => {
      const store = write(archive.subarray(0, length));
      if ((await store.resolve(digest)) !== undefined)
        assert.deepEqual(await read(store, digestOf(layer)), layer);
    }),
    { numRuns: 200 },
  );
});

test('a changed byte is never handed out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: archive.length - 1 }), async (at) => {
      const changed = Buffer.from(archive);
      changed[at]! ^= 0x55;
      const store = write(changed);
      if ((await store.resolve(digest)) === undefined) return;
      const got = await read(store, digestOf(layer)).catch((error: { code: string }) => error.code);
      assert.ok(got === 'CORRUPT' || layer.equals(got as Buffer));
    }),
    { numRuns: 200 },
  );
});

test('a manifest that does not match its name counts as absent', async () => {
  const store = write(archive);
  writeFileSync(
    join(dir, `${digest}.json`),
    Buffer.concat([readFileSync(join(dir, `${digest}.json`)), Buffer.from(' ')]),
  );
  assert.equal(await store.resolve(digest), undefined);
});
