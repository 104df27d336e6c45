import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { test } from 'node:test';
import { ageTag } from '../cache/age.ts';
import { EMPTY_LAYER } from '../cache/empty-layer.ts';
import { createLeases, leaseTag } from '../cache/leases.ts';
import { encodeRecord } from '../cache/record.ts';
import type { LayerRef } from '../cache/types.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { tempDir } from '../core/testing.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { canonicalJson } from '../oci/canonical-json.ts';
import { dirLayout } from '../oci/dir-layout.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { putImage } from '../oci/testing/images.ts';
import type { Store } from '../oci/types.ts';
import { checkRegistry } from './check.ts';
import { collectGarbage } from './gc.ts';

const HOUR = 3_600_000;

/** Makes everything in a directory look as if nobody had used it for this long. */
function age(root: string, ms: number): void {
  const then = new Date(Date.now() - ms);
  for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) fs.utimesSync(`${entry.parentPath}/${entry.name}`, then, then);
}

function layerRef(bytes: Buffer): LayerRef {
  const digest = digestOf(bytes);
  return { mediaType: MEDIA_TYPES.ociLayerZstd, digest, size: bytes.length, diffId: digest };
}

/** Stores a record whose chain ends with `layer`; only that layer is in the manifest itself. */
async function putRecord(store: Store, name: string, chain: readonly LayerRef[]): Promise<Digest> {
  const key = digestOf(name);
  const last = chain.at(-1)!;
  const encoded = encodeRecord({
    key,
    base: 'scratch',
    chain,
    layer: last,
    made: '1'.repeat(chain.length),
    sources: {},
    created: '2026-01-01T00:00:00Z',
    fields: {},
    platform: { os: 'linux', architecture: 'amd64' },
  });
  await store.put(bytesSource(encoded.config));
  await store.tag(encoded.manifest, MEDIA_TYPES.ociManifest, hexOf(key));
  return key;
}

test('what nothing names goes after the grace period, what is named stays', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const other = createDirectoryStore({ root, repository: 'b' });
  const [lost, fresh] = [bytesSource(randomBytes(1000)), bytesSource(randomBytes(1000))];
  await putImage(store, 'v1', 'amd64', 'one');
  const untagged = await putImage(other, undefined, 'arm64', 'two');
  await store.put(lost);
  age(root, 3 * HOUR);
  await store.put(fresh);
  const dry = await collectGarbage({ root, graceMs: 2 * HOUR, dryRun: true });
  assert.deepEqual([dry.tags, dry.manifests, dry.blobs], [0, 1, 4]);
  assert.equal(await other.has(untagged.digest), undefined);
  const done = await collectGarbage({ root, graceMs: 2 * HOUR });
  assert.deepEqual([done.tags, done.manifests, done.blobs], [0, 1, 4]);
  assert.ok(done.freedBytes > 1000);
  assert.equal(await store.has(lost.digest), undefined);
  assert.equal(await store.has(fresh.digest), 1000);
  assert.equal(await other.resolve(untagged.digest), undefined);
  assert.ok(await store.resolve('v1'));
  assert.deepEqual((await checkRegistry({ root })).problems, []);
  const again = await collectGarbage({ root, graceMs: 2 * HOUR });
  assert.deepEqual([again.manifests, again.blobs, again.freedBytes], [0, 0, 0]);
});

test('a record that is used keeps those that it lies on, with their ages, and no others', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'local/cache' });
  const layers = [randomBytes(500), randomBytes(600), randomBytes(700)];
  for (const layer of layers) await store.put(bytesSource(layer));
  const [one, two, three] = layers.map(layerRef) as [LayerRef, LayerRef, LayerRef];
  const first = await putRecord(store, 'first', [one]);
  const side = await putRecord(store, 'side', [one, three]);
  const last = await putRecord(store, 'last', [one, two]);
  for (const key of [first, side])
    await store.tag((await store.resolve(hexOf(key)))!.bytes, MEDIA_TYPES.ociManifest, ageTag(key));
  await putImage(store, 'v1', 'amd64', 'one');
  age(root, 40 * 24 * HOUR);
  assert.ok(await store.resolve(hexOf(last)), 'reading a record uses it');
  const rules = { root, graceMs: 2 * HOUR, olderThanMs: 30 * 24 * HOUR };
  assert.equal((await collectGarbage({ ...rules, dryRun: true })).tags, 3);
  assert.equal((await collectGarbage(rules)).tags, 3);
  for (const tag of ['v1', hexOf(side), ageTag(side)]) assert.equal(await store.resolve(tag), undefined, tag);
  for (const tag of [hexOf(last), hexOf(first), ageTag(first)]) assert.ok(await store.resolve(tag), tag);
  assert.equal(await store.has(one.digest), 500);
  assert.equal(await store.has(two.digest), 600);
  assert.equal(await store.has(three.digest), undefined);
  assert.deepEqual((await checkRegistry({ root })).problems, []);
});

test('a record keeps its layers, even when the records of those are gone', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'local/cache' });
  const layers = [randomBytes(500), randomBytes(600)];
  for (const layer of layers) await store.put(bytesSource(layer));
  const [one, two] = layers.map(layerRef) as [LayerRef, LayerRef];
  const first = await putRecord(store, 'first', [one]);
  const last = await putRecord(store, 'last', [one, two]);
  await store.drop!(hexOf(first), (await store.resolve(hexOf(first)))!.descriptor.digest);
  age(root, 3 * HOUR);
  await collectGarbage({ root, graceMs: 2 * HOUR });
  assert.ok(await store.resolve(hexOf(last)));
  for (const { digest, size } of [one, two]) assert.equal(await store.has(digest), size);
});

test('by size, what was used last stays', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const layout = dirLayout(root, 'a');
  for (const [i, name] of ['old', 'middle', 'new'].entries()) {
    const layer = randomBytes(10_000);
    await store.put(bytesSource(layer));
    await putRecord(store, name, [layerRef(layer)]);
    const used = new Date(Date.now() - (10 - i) * HOUR);
    const link = layout.tagLink(hexOf(digestOf(name)));
    age(root, 10 * HOUR);
    fs.utimesSync(link, used, used);
  }
  for (const [i, name] of ['old', 'middle', 'new'].entries()) {
    const used = new Date(Date.now() - (9 - i) * HOUR);
    fs.utimesSync(layout.tagLink(hexOf(digestOf(name))), used, used);
  }
  const result = await collectGarbage({ root, graceMs: HOUR, maxBytes: 25_000 });
  assert.deepEqual([result.tags, result.manifests], [1, 1]);
  assert.ok(result.keptBytes <= 25_000 && result.keptBytes > 20_000, `${result.keptBytes}`);
  assert.equal(await store.resolve(hexOf(digestOf('old'))), undefined);
  assert.ok(await store.resolve(hexOf(digestOf('middle'))));
});

test('referrers and the parts of an index stay with what they belong to', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const image = await putImage(store, undefined, 'amd64', 'one');
  const index = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [{ mediaType: image.mediaType, digest: image.digest, size: image.size }],
  });
  const indexed = await store.tag(index, MEDIA_TYPES.ociIndex, 'multi');
  const config = Buffer.from('{}');
  await store.put(bytesSource(config));
  const signature = canonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: 'application/x-signature',
    config: { mediaType: MEDIA_TYPES.emptyConfig, digest: digestOf(config), size: 2 },
    layers: [],
    subject: { mediaType: MEDIA_TYPES.ociIndex, digest: indexed.digest, size: index.length },
  });
  const signed = await store.tag(signature, MEDIA_TYPES.ociManifest);
  age(root, 10 * HOUR);
  await collectGarbage({ root, graceMs: HOUR });
  for (const { digest } of [image, indexed, signed]) assert.ok(await store.resolve(digest), digest);
  fs.rmSync(dirLayout(root, 'a').tags, { recursive: true });
  age(root, 10 * HOUR);
  const rest = await collectGarbage({ root, graceMs: HOUR });
  assert.equal(rest.manifests, 3);
});

test('whoever was told that a blob is there can rely on it', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const blob = bytesSource(randomBytes(100));
  await store.put(blob);
  age(root, 10 * HOUR);
  assert.equal(await store.has(blob.digest), 100);
  await collectGarbage({ root, graceMs: HOUR });
  assert.equal(await store.has(blob.digest), 100);
});

test('a check finds what is wrong, and a repair leaves what can be pulled', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const layout = dirLayout(root, 'a');
  await putImage(store, 'good', 'amd64', 'one');
  await putImage(store, 'bad', 'amd64', 'two');
  const layer = randomBytes(100);
  await store.put(bytesSource(layer));
  await store.put(bytesSource(Buffer.alloc(1024)));
  const key = await putRecord(store, 'record', [
    layerRef(layer),
    { ...EMPTY_LAYER, mediaType: MEDIA_TYPES.ociLayer },
  ]);
  assert.ok(key);
  const bad = JSON.parse((await store.resolve('bad'))!.bytes.toString());
  fs.writeFileSync(layout.blob(bad.layers[0].digest), 'damaged');
  fs.rmSync(layout.blob(digestOf(layer)));
  fs.mkdirSync(`${layout.tags}/empty/current`, { recursive: true });
  fs.writeFileSync(`${layout.tags}/empty/current/link`, '');
  const found = await checkRegistry({ root });
  assert.ok(found.problems.length >= 4, found.problems.join('\n'));
  assert.match(found.problems.join('\n'), /is damaged[\s\S]*lacks[\s\S]*names nothing/);
  const repaired = await checkRegistry({ root, repair: true });
  assert.ok(repaired.problems.length >= found.problems.length);
  assert.deepEqual((await checkRegistry({ root })).problems, []);
  assert.ok(await store.resolve('good'));
  assert.equal(await store.resolve('bad'), undefined);
  assert.equal(await store.resolve(hexOf(key)), undefined);
  await putImage(store, 'bad', 'amd64', 'two');
  assert.deepEqual((await checkRegistry({ root })).problems, []);
});

test('leases that nobody used within the grace period go, and a check takes no offence at them', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const key = await putRecord(store, 'a step', [await putLayer(store)]);
  const leases = [createLeases({ store, endsWithRecord: () => false })];
  t.after(() => Promise.all(leases.map((one) => one.close())));
  const [old, fresh] = [digestOf('old'), digestOf('fresh')];
  await leases[0]!.take([old]);
  age(root, 3 * HOUR);
  await leases[0]!.take([fresh]);
  assert.deepEqual((await checkRegistry({ root })).problems, []);
  assert.deepEqual((await collectGarbage({ root, graceMs: 2 * HOUR })).tags, 1);
  assert.equal(await store.resolve(leaseTag(hexOf(old))), undefined);
  assert.ok(await store.resolve(leaseTag(hexOf(fresh))));
  assert.ok(await store.resolve(hexOf(key)));
  assert.deepEqual((await checkRegistry({ root })).problems, []);
});

async function putLayer(store: Store): Promise<LayerRef> {
  const bytes = randomBytes(100);
  await store.put(bytesSource(bytes));
  return layerRef(bytes);
}
