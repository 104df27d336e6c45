import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { packTrace } from '../builder/misses/trace.ts';
import { storeAge } from '../cache/age.ts';
import { leaseTag } from '../cache/leases.ts';
import { storeNote } from '../cache/note.ts';
import { encodeRecord } from '../cache/record.ts';
import { fakeLayer, fakeRecord } from '../cache/testing.ts';
import { createTrust } from '../cache/trust.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { silent } from '../core/events.ts';
import { scratchDir } from '../core/testing.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { createRegistryClient } from '../oci/http/client.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { createMemoryStore } from '../oci/memory-store.ts';
import { attach } from '../oci/referrer.ts';
import { createRemoteStore } from '../oci/remote-store.ts';
import type { Store } from '../oci/types.ts';
import { startRegistryServer } from '../registry/server.ts';
import { copyEntries, withNotes } from './copy.ts';
import { planPrune, pruneRepository } from './prune.ts';
import { readInventory, totalsOf } from './read.ts';
import type { InventoryEntry } from './types.ts';
import { usageOf } from './usage.ts';
import { verifyEntries } from './verify.ts';

const signal = new AbortController().signal;
const NOW = Date.parse('2026-11-29T00:00:00Z');
const DAY = 86_400_000;
const ago = (days: number): string => new Date(NOW - days * DAY).toISOString().replace('.000', '');
const keyOf = (name: string): Digest => digestOf(`key ${name}`);

/** A layer that is really there: its bytes are its name. */
const layerOf = (name: string): LayerRef => {
  const bytes = Buffer.from(name.repeat(100));
  const { toc: _, ...layer } = fakeLayer(name);
  return { ...layer, digest: digestOf(bytes), size: bytes.length };
};

/** Stores a record over the layers of these names, the last of which it brings. */
async function store(
  to: Store,
  name: string,
  layers: readonly string[],
  created: string,
): Promise<CacheRecord> {
  const chain = layers.map(layerOf);
  const layer = chain.at(-1)!;
  const record = fakeRecord(keyOf(name), layers, {
    chain,
    layer,
    created,
    contentKey: digestOf(`content ${name}`),
  });
  const { manifest, config } = encodeRecord(record);
  await to.put(bytesSource(Buffer.from(layers.at(-1)!.repeat(100))), signal);
  await to.put(bytesSource(config), signal);
  for (const tag of [record.key, record.contentKey!])
    await to.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(tag), signal);
  return record;
}

/** @param behind what the lease is on as well */
async function lease(to: Store, record: CacheRecord, behind: readonly CacheRecord[] = []): Promise<void> {
  await to.put(bytesSource(Buffer.from('{}')), signal);
  const steps = [record, ...behind].map(({ key }) => leaseTag(hexOf(key)));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: 'x/y', digest: digestOf('{}'), size: 2 },
    layers: [],
    annotations: { 'dev.envbuilder.lease': JSON.stringify(behind.length > 0 ? { steps } : {}) },
  };
  await to.tag(
    Buffer.from(JSON.stringify(manifest)),
    MEDIA_TYPES.ociManifest,
    leaseTag(hexOf(record.key)),
    signal,
  );
}

async function image(to: Store, tag: string, names: readonly string[], created: string): Promise<void> {
  const config = Buffer.from(
    JSON.stringify({ created, os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } }),
  );
  await to.put(bytesSource(config), signal);
  const layers = names.map(layerOf).map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length },
    layers,
  };
  await to.tag(Buffer.from(JSON.stringify(manifest)), MEDIA_TYPES.ociManifest, tag, signal);
}

const STORES: Readonly<Record<string, () => Store>> = {
  memory: () => createMemoryStore(),
  directory: () => createDirectoryStore({ root: scratchDir('inventory'), repository: 'local/cache' }),
};

for (const [kind, open] of Object.entries(STORES))
  test(`what refers to an image is no image, and is copied with it: ${kind}`, async () => {
    const [cache, copy] = [open(), open()];
    await image(cache, 'latest', [], ago(1));
    const { descriptor } = (await cache.resolve('latest'))!;
    const content = Buffer.from('{"about":"it"}');
    const said = await attach(
      cache,
      descriptor,
      { artifactType: 'application/vnd.in-toto+json', content, annotations: {} },
      signal,
    );
    const { entries } = await readInventory(cache, signal);
    assert.deepEqual(
      entries.map((entry) => [entry.kind, entry.tags]),
      [
        ['image', ['latest']],
        ['referrers', [`sha256-${hexOf(descriptor.digest)}`]],
      ],
    );
    assert.equal(totalsOf(entries).images, 1);
    await copyEntries(cache, copy, entries, signal);
    assert.ok(await copy.resolve(said.digest));
    assert.equal(await copy.has(digestOf(content)), content.length);
  });

for (const [kind, open] of Object.entries(STORES))
  test(`a cache is listed with its records, images and what cannot be read: ${kind}`, async () => {
    const cache = open();
    await store(cache, 'one', ['a'], ago(3));
    await store(cache, 'two', ['a', 'b'], ago(1));
    await image(cache, 'latest', ['a', 'b'], ago(1));
    await cache.tag(
      Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: MEDIA_TYPES.ociManifest,
          config: { mediaType: 'x/y', digest: digestOf('{}'), size: 2 },
          layers: [],
        }),
      ),
      MEDIA_TYPES.ociManifest,
      'f'.repeat(64),
      signal,
    );
    const { entries } = await readInventory(cache, signal);
    const kinds = entries.map((entry) => entry.kind).sort();
    assert.deepEqual(kinds, ['image', 'record', 'record', 'unreadable']);
    const broken = entries.find((entry) => entry.kind === 'unreadable')!;
    assert.match(broken.problem!, /cannot be read/);
    const two = entries.find((entry) => entry.record?.key === keyOf('two'))!;
    assert.equal(two.tags.length, 2);
    assert.deepEqual(
      two.needs.map(({ digest }) => digest),
      [layerOf('a').digest, layerOf('b').digest],
    );
    assert.deepEqual(totalsOf(entries), { records: 2, images: 1, layers: 2, bytes: 200, sharedBytes: 200 });
    assert.deepEqual(usageOf(entries), {
      stages: [{ name: '(unknown)', records: 2, bytes: 200 }],
      instructions: [{ name: '(unknown)', records: 2, bytes: 200 }],
      otherBytes: 0,
    });
    assert.deepEqual((await verifyEntries(cache, entries, { readAll: true, signal })).length, 1);
  });

test('what a newer record, an image or a lease needs is not pruned', async () => {
  const cache = createMemoryStore();
  await store(cache, 'below', ['a'], ago(30));
  await store(cache, 'newer', ['a', 'b'], ago(1));
  await store(cache, 'alone', ['c'], ago(30));
  await lease(cache, await store(cache, 'leased', ['d'], ago(30)), [
    await store(cache, 'leased too', ['d', 'f'], ago(30)),
  ]);
  await store(cache, 'pushed', ['e'], ago(30));
  await image(cache, 'latest', ['e'], ago(30));
  const rules = { olderThanMs: 7 * DAY, now: NOW };
  const dry = await pruneRepository(cache, rules, { dryRun: true, signal });
  assert.deepEqual(
    dry.drop.map(({ record }) => record!.key).sort(),
    [keyOf('alone'), keyOf('pushed')].sort(),
  );
  assert.deepEqual(
    dry.needed.map(({ record }) => record!.key),
    [keyOf('below')],
  );
  assert.equal(dry.freedBytes, 100);
  assert.ok(await cache.resolve(hexOf(keyOf('alone'))));
  await pruneRepository(cache, rules, { dryRun: false, signal });
  assert.equal(await cache.resolve(hexOf(keyOf('alone'))), undefined);
  const { entries } = await readInventory(cache, signal);
  assert.deepEqual(
    entries.flatMap(({ record }) => record?.key ?? []).sort(),
    [keyOf('below'), keyOf('newer'), keyOf('leased'), keyOf('leased too')].sort(),
  );
  // Whatever is left can be read whole, even where the registry removes what no manifest names.
  const named = new Set(entries.flatMap(({ layers }) => layers.map(({ digest }) => digest)));
  for (const { needs } of entries) for (const { digest } of needs) assert.ok(named.has(digest));
});

test('what a build stores while a cache is pruned keeps what it needs', async () => {
  const cache = createMemoryStore();
  await store(cache, 'below', ['a'], ago(30));
  let lists = 0;
  const racing: Store = {
    ...cache,
    listTags: async () => {
      lists += 1;
      if (lists === 2) await store(cache, 'newer', ['a', 'b'], ago(0));
      return cache.listTags!();
    },
  };
  const { drop } = await pruneRepository(
    racing,
    { olderThanMs: 7 * DAY, now: NOW },
    { dryRun: false, signal },
  );
  assert.deepEqual(drop, []);
  assert.ok(await cache.resolve(hexOf(keyOf('below'))));
});

/** Stores a note on the age of a record, which need not be there. */
async function noteAge(to: Store, name: string, created: string): Promise<void> {
  const trust = createTrust(undefined, { emit: silent });
  await storeAge(to, fakeRecord(keyOf(name), ['x'], { created }), { trust, signal });
}

/** Stores the trace of a build that had these steps. */
async function noteTrace(to: Store, tag: string, at: string, steps: readonly string[]): Promise<void> {
  const stage = {
    name: 'main',
    base: { name: 'scratch', layers: '', parts: {} },
    steps: steps.map((name) => ({ text: `RUN ${name}`, key: keyOf(name), parts: {} })),
  };
  const text = packTrace({ at, schema: 1, salt: '', stages: [stage] })!;
  await storeNote(to, { kind: 'trace', tag, text }, signal);
}

/** A store of a registry of its own. */
async function registryStore(t: TestContext): Promise<Store> {
  const server = await startRegistryServer({
    host: '127.0.0.1',
    port: 0,
    root: scratchDir('inventory-registry'),
  });
  const client = createRegistryClient();
  t.after(async () => {
    await client.close();
    await server.close();
  });
  return createRemoteStore({ client, registry: new URL(server.url).host, repository: 'team/cache' });
}

for (const [kind, open] of Object.entries({
  memory: async () => createMemoryStore(),
  registry: registryStore,
}))
  test(`notes go with their records, or when these are gone and they are old themselves: ${kind}`, async (t) => {
    const cache = await open(t);
    await store(cache, 'old', ['a'], ago(30));
    await store(cache, 'young', ['b'], ago(1));
    await lease(cache, await store(cache, 'leased', ['c'], ago(30)));
    const madeToo = fakeRecord(keyOf('made too'), ['x', 'y']);
    await lease(cache, fakeRecord(keyOf('made'), ['x']), [madeToo]);
    for (const name of ['old', 'leased', 'made', 'made too', 'gone']) await noteAge(cache, name, ago(30));
    for (const name of ['young', 'coming']) await noteAge(cache, name, ago(0.01));
    await noteTrace(cache, 'trace-lost', ago(30), ['old', 'gone']);
    await noteTrace(cache, 'trace-lost-6', ago(30), ['old', 'gone']);
    await noteTrace(cache, 'trace-used', ago(30), ['old', 'young']);
    await noteTrace(cache, 'trace-new', ago(1), ['old']);
    await storeNote(cache, { kind: 'trace', tag: 'trace-later', text: '{"trace":9}' }, signal);
    await storeNote(cache, { kind: 'url', tag: 'url-x', text: '{}' }, signal);
    const before = (await cache.listTags!()).length;
    const rules = { olderThanMs: 7 * DAY, now: NOW };
    const lost = [`age-${hexOf(keyOf('gone'))}`, `age-${hexOf(keyOf('old'))}`, 'trace-lost', 'trace-lost-6'];
    const tagsOf = ({ notes }: { readonly notes: readonly InventoryEntry[] }) =>
      notes.flatMap(({ tags }) => tags).sort();
    const dry = await pruneRepository(cache, rules, { dryRun: true, signal });
    assert.deepEqual(tagsOf(dry), lost.sort());
    assert.equal((await cache.listTags!()).length, before);
    const done = await pruneRepository(cache, rules, { dryRun: false, signal });
    assert.deepEqual(tagsOf(done), lost);
    const left = await cache.listTags!();
    for (const tag of lost) assert.ok(!left.includes(tag), tag);
    assert.equal(left.length, before - lost.length - 2);
    assert.deepEqual(tagsOf(await pruneRepository(cache, rules, { dryRun: false, signal })), []);
  });

test('notes that an earlier prune has left go without any record', async () => {
  const cache = createMemoryStore();
  await noteAge(cache, 'gone', ago(1));
  await noteAge(cache, 'coming', ago(0.01));
  await noteTrace(cache, 'trace-lost', ago(1), ['gone']);
  const { drop, notes } = await pruneRepository(
    cache,
    { maxBytes: 100, now: NOW },
    { dryRun: false, signal },
  );
  assert.deepEqual([drop.length, notes.length], [0, 2]);
  assert.deepEqual(await cache.listTags!(), [`age-${hexOf(keyOf('coming'))}`]);
});

test('by size the oldest records go first', async () => {
  const cache = createMemoryStore();
  for (const [i, name] of ['a', 'b', 'c'].entries()) await store(cache, name, [name], ago(10 - i));
  const { entries } = await readInventory(cache, signal);
  const { drop } = planPrune(entries, { maxBytes: 150, now: NOW });
  assert.deepEqual(drop.map(({ record }) => record!.key).sort(), [keyOf('a'), keyOf('b')].sort());
});

test('a layer that is gone, has another size or is damaged is told of', async () => {
  const cache = createMemoryStore();
  await store(cache, 'one', ['a'], ago(1));
  await store(cache, 'two', ['b'], ago(1));
  await store(cache, 'three', ['c'], ago(1));
  const [gone, short] = [layerOf('a').digest, layerOf('b').digest];
  const damaged: Store = {
    ...cache,
    has: async (digest) => (digest === gone ? undefined : digest === short ? 7 : cache.has(digest)),
  };
  const { entries } = await readInventory(damaged, signal);
  const problems = await verifyEntries(damaged, entries, { readAll: false, signal });
  assert.deepEqual(problems.map(({ text }) => text.replace(/sha256:\w+/, 'X')).sort(), [
    'its layer X has 7 bytes instead of 100',
    'its layer X is gone',
  ]);
});

test('a copy has everything that the original has, and a second one copies nothing', async () => {
  const from = createMemoryStore();
  const to = STORES.directory!();
  await store(from, 'one', ['a'], ago(2));
  await store(from, 'two', ['a', 'b'], ago(1));
  await image(from, 'latest', ['a', 'b'], ago(1));
  const { entries } = await readInventory(from, signal);
  const first = await copyEntries(from, to, entries, signal);
  assert.equal(first.entries, 3);
  const copied = await readInventory(to, signal);
  assert.deepEqual(copied.entries, entries);
  assert.deepEqual(await verifyEntries(to, copied.entries, { readAll: true, signal }), []);
  const again = await copyEntries(from, to, entries, signal);
  assert.deepEqual([again.blobs, again.bytes], [0, 0]);
});

test('one record is copied with its whole chain', async () => {
  const [from, to] = [createMemoryStore(), createMemoryStore()];
  await store(from, 'one', ['a'], ago(2));
  const two = await store(from, 'two', ['a', 'b'], ago(1));
  const { entries } = await readInventory(from, signal);
  await copyEntries(
    from,
    to,
    entries.filter(({ record }) => record?.key === two.key),
    signal,
  );
  assert.deepEqual(
    await verifyEntries(to, (await readInventory(to, signal)).entries, { readAll: true, signal }),
    [],
  );
});

test('texts of a hostile cache break no line', async () => {
  const cache = createMemoryStore();
  await image(cache, 'latest', [], '2026-01-01T00:00:00Z\u001b[31m');
  const { entries } = await readInventory(cache, signal);
  assert.equal(entries[0]!.created, null);
});

test('a record of a reproducible build is as old as the note beside it says, and stays where none does', async () => {
  const from = createMemoryStore();
  const trust = createTrust(undefined, { emit: silent });
  for (const [name, days] of [
    ['old', 30],
    ['young', 1],
    ['unknown', undefined],
  ] as const) {
    const record = await store(from, name, [name], ago(0));
    const undated = { ...record, undated: true as const, created: ago(days ?? 0) };
    const { manifest, config } = encodeRecord(undated);
    await from.put(bytesSource(config), signal);
    for (const tag of [record.key, record.contentKey!])
      await from.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(tag), signal);
    if (days !== undefined) await storeAge(from, undated, { trust, signal });
  }
  const { entries } = await readInventory(from, signal);
  const records = entries.filter(({ kind }) => kind === 'record');
  const created = new Map(records.map(({ record, created: time }) => [record!.key, time]));
  assert.deepEqual(
    ['old', 'young', 'unknown'].map((name) => created.get(keyOf(name))),
    [ago(30), ago(1), null],
  );
  const { drop } = planPrune(entries, { olderThanMs: 7 * DAY, now: NOW });
  assert.deepEqual(
    drop.map(({ record }) => record?.key),
    [keyOf('old')],
  );
});

test('a record that is copied by its name brings the note on its age', async () => {
  const [from, to] = [createMemoryStore(), createMemoryStore()];
  const trust = createTrust(undefined, { emit: () => {} });
  const record = await store(from, 'one', ['a'], ago(1));
  await storeAge(from, record, { trust, signal });
  await storeAge(from, { ...record, key: keyOf('other') }, { trust, signal });
  const { entries } = await readInventory(from, signal);
  await copyEntries(
    from,
    to,
    withNotes(
      entries,
      entries.filter(({ kind }) => kind === 'record'),
    ),
    signal,
  );
  const kinds = (await readInventory(to, signal)).entries.map(({ kind }) => kind);
  assert.deepEqual(kinds.sort(), ['note', 'record']);
});
