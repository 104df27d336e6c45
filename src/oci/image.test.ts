import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { tempDir } from '../core/testing.ts';
import { bytesSource } from './blob-source.ts';
import { canonicalJson } from './canonical-json.ts';
import { createDirectoryStore } from './dir-store.ts';
import { resolveImage } from './image.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { parsePlatform } from './platform.ts';
import { parseReference } from './reference.ts';
import { putImage } from './testing/images.ts';
import type { Descriptor, Store } from './types.ts';

const REFERENCE = parseReference('r.example/a/b:v1');
const AMD64 = parsePlatform('linux/amd64');

async function putIndex(
  store: Store,
  tag: string,
  manifests: readonly Partial<Descriptor>[],
): Promise<Descriptor> {
  return store.tag(
    canonicalJson({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }),
    MEDIA_TYPES.ociIndex,
    tag,
  );
}

test('an image is found through an index, nested or not', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const amd64 = await putImage(store, undefined, 'amd64', 'x');
  const arm64 = await putImage(store, undefined, 'arm64', 'y');
  const inner = await putIndex(store, 'inner', [
    { ...arm64, platform: { os: 'linux', architecture: 'arm64' } },
  ]);
  await putIndex(store, 'v1', [
    { ...amd64, platform: { os: 'linux', architecture: 'amd64' } },
    { ...inner, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
  ]);
  const image = await resolveImage(store, REFERENCE, AMD64);
  assert.equal(image.manifest.descriptor.digest, amd64.digest);
  assert.equal(image.reference, 'r.example/a/b:v1');
  assert.deepEqual(image.config.config, { Env: ['A=b'] });
  assert.equal(digestOf(image.configBytes), image.parsed.config.digest);
  assert.equal(
    (await resolveImage(store, REFERENCE, parsePlatform('arm64'))).manifest.descriptor.digest,
    arm64.digest,
  );
});

test('a platform that is not there is an error that lists those that are', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const image = await putImage(store);
  await putIndex(store, 'v1', [
    { ...image, platform: { os: 'linux', architecture: 's390x' } },
    { ...image, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
    { ...image, platform: { os: 'unknown', architecture: 'unknown' } },
  ]);
  await assert.rejects(resolveImage(store, REFERENCE, AMD64), (error) => {
    assert.ok(error instanceof AppError && error.code === 'REFERENCE');
    assert.match(error.message, /no image for linux\/amd64/);
    assert.match(error.hint ?? '', /it has linux\/arm\/v7, linux\/s390x;/);
    return true;
  });
});

test('without platforms in the index, the configs decide', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const arm64 = await putImage(store, undefined, 'arm64');
  const amd64 = await putImage(store, undefined, 'amd64');
  await putIndex(store, 'v1', [arm64, amd64]);
  assert.equal((await resolveImage(store, REFERENCE, AMD64)).manifest.descriptor.digest, amd64.digest);
});

test('a config that is embedded in its descriptor needs no blob', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const bytes = canonicalJson({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
  });
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(bytes), size: bytes.length };
  const put = (data: string) =>
    store.tag(
      canonicalJson({ schemaVersion: 2, config: { ...config, data }, layers: [] }),
      MEDIA_TYPES.ociManifest,
      'v1',
    );
  await put(bytes.toString('base64'));
  assert.equal((await resolveImage(store, REFERENCE, AMD64)).config.architecture, 'amd64');
  await put(Buffer.from('other').toString('base64'));
  await assert.rejects(resolveImage(store, REFERENCE, AMD64), /no blob/);
  await store.put(bytesSource(bytes));
  assert.equal((await resolveImage(store, REFERENCE, AMD64)).config.os, 'linux');
});

test('an image whose config and manifest disagree is CORRUPT', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  const bytes = canonicalJson({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digestOf('x')] },
  });
  await store.put(bytesSource(bytes));
  const config = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(bytes), size: bytes.length };
  await store.tag(canonicalJson({ schemaVersion: 2, config, layers: [] }), MEDIA_TYPES.ociManifest, 'v1');
  await assert.rejects(
    resolveImage(store, REFERENCE, AMD64),
    (error) => error instanceof AppError && error.code === 'CORRUPT',
  );
});

test('nothing there is a REFERENCE error that names it', async (t) => {
  const store = createDirectoryStore({ root: tempDir(t), repository: 'a/b' });
  await assert.rejects(resolveImage(store, REFERENCE, AMD64), (error) => {
    assert.ok(error instanceof AppError && error.code === 'REFERENCE');
    assert.match(error.message, /r\.example\/a\/b:v1/);
    return true;
  });
});
