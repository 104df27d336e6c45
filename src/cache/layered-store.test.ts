import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { readAll } from '../oci/readable.ts';
import type { Store } from '../oci/types.ts';
import { createLayeredStore, createReadOnlyStore } from './layered-store.ts';

const tooLong = () => new AppError('CORRUPT', 'too long');
const stores = (t: TestContext, ...names: string[]): Store[] =>
  names.map((repository) => createDirectoryStore({ root: tempDir(t), repository }));

test('a blob is read from the first repository that holds it, and written to the last alone', async (t) => {
  const [first, second, own] = stores(t, 'first', 'second', 'own');
  const store = createLayeredStore([first!, second!, own!]);
  const [both, mine] = [Buffer.from('in both'), Buffer.from('in the last')];
  for (const one of [first!, own!]) await one.put(bytesSource(both));
  assert.equal(await store.put(bytesSource(mine)), 'stored');
  assert.equal(await store.locate(digestOf(both)), first);
  assert.equal(await store.locate(digestOf(mine)), own);
  assert.equal(await store.has(digestOf(mine)), mine.length);
  assert.equal(await first!.has(digestOf(mine)), undefined);
  for (const blob of [both, mine]) {
    assert.deepEqual(await readAll(await store.get(digestOf(blob)), 100, tooLong), blob);
    const tail = await store.get(digestOf(blob), { offset: 3 });
    assert.deepEqual(await readAll(tail, 100, tooLong), blob.subarray(3));
  }
  assert.equal(await store.has(digestOf('nothing')), undefined);
  await assert.rejects(async () => readAll(await store.get(digestOf('nothing')), 100, tooLong), {
    code: 'REFERENCE',
  });
});

test('a tag is that of the first repository that has it', async (t) => {
  const [first, own] = stores(t, 'first', 'own');
  const store = createLayeredStore([first!, own!]);
  const manifest = async (of: Store, text: string, tag: string): Promise<void> => {
    const config = Buffer.from(text);
    await of.put(bytesSource(config));
    const descriptor = { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(config), size: config.length };
    const bytes = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: descriptor, layers: [] };
    await of.tag(Buffer.from(JSON.stringify(bytes)), MEDIA_TYPES.ociManifest, tag);
  };
  const configOf = async (tag: string): Promise<unknown> => {
    const raw = await store.resolve(tag);
    return raw && JSON.parse(raw.bytes.toString()).config.digest;
  };
  await manifest(store, '{"own":1}', 'one');
  assert.equal(await configOf('one'), digestOf('{"own":1}'));
  await manifest(first!, '{"first":1}', 'one');
  assert.equal(await configOf('one'), digestOf('{"first":1}'));
  assert.equal(await configOf('two'), undefined);
});

const fail = (code: 'REGISTRY' | 'AUTH' | 'CORRUPT') => async (): Promise<never> => {
  throw new AppError(code, 'it is down');
};

test('an error is thrown unless an earlier repository has the answer', async (t) => {
  const [first, own] = stores(t, 'first', 'own');
  const blob = Buffer.from('a blob');
  await first!.put(bytesSource(blob));
  const store = createLayeredStore([first!, { ...own!, has: fail('REGISTRY') }]);
  assert.equal(await store.has(digestOf(blob)), blob.length);
  await assert.rejects(store.has(digestOf('nothing')), { code: 'REGISTRY' });
});

test('a read-only repository takes nothing, and counts as empty once it cannot be asked', async (t) => {
  const [store] = stores(t, 'first');
  const blob = Buffer.from('a blob');
  await store!.put(bytesSource(blob));
  for (const code of ['REGISTRY', 'AUTH'] as const) {
    const events: Event[] = [];
    let down = false;
    const readOnly = createReadOnlyStore(
      { ...store!, has: async (digest) => (down ? fail(code)() : store!.has(digest)) },
      { emit: (event) => void events.push(event) },
    );
    assert.equal(await readOnly.has(digestOf(blob)), blob.length);
    assert.equal(await readOnly.resolve('none'), undefined);
    assert.deepEqual(await readAll(await readOnly.get(digestOf(blob)), 100, tooLong), blob);
    await assert.rejects(readOnly.put(bytesSource(blob)), { code: 'INTERNAL' });
    await assert.rejects(readOnly.tag(Buffer.from('{}'), MEDIA_TYPES.ociManifest, 'x'), { code: 'INTERNAL' });
    assert.deepEqual(events, []);
    down = true;
    assert.equal(await readOnly.has(digestOf(blob)), undefined);
    down = false;
    assert.equal(await readOnly.has(digestOf(blob)), undefined, 'it is not asked again');
    assert.deepEqual(
      events.map((event: Event) => event.type === 'warning' && event.code),
      [code],
    );
  }
  const damaged = createReadOnlyStore({ ...store!, resolve: fail('CORRUPT') }, { emit: () => {} });
  await assert.rejects(damaged.resolve('x'), { code: 'CORRUPT' });
});
