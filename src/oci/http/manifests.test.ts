import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import type { Event } from '../../core/events.ts';
import { MEDIA_TYPES } from '../media-types.ts';
import { collect, fail } from '../testing/fake-registry.ts';
import { FAST, openFakeStore } from '../testing/fake-store.ts';
import { headManifest } from './manifests.ts';
import { createMirroredStore } from './mirrors.ts';
import { listTags } from './tags.ts';

const BYTES = Buffer.from('{"schemaVersion":2,"manifests":[]}');

const setUp = (t: TestContext) => openFakeStore(t, { retry: { ...FAST, attempts: 2 } });

test('a manifest goes round by tag and by digest', async (t) => {
  const { registry, repository, store } = await setUp(t);
  const descriptor = await store.tag(BYTES, MEDIA_TYPES.ociIndex, 'v1');
  assert.deepEqual(await store.resolve('v1'), { descriptor, bytes: BYTES });
  assert.deepEqual(await store.resolve(descriptor.digest), { descriptor, bytes: BYTES });
  assert.deepEqual(await headManifest(repository, 'v1'), descriptor);
  assert.equal(await store.resolve('v2'), undefined);
  const { accept = '' } = registry.seen.at(-1)!.headers;
  for (const type of [
    MEDIA_TYPES.ociManifest,
    MEDIA_TYPES.ociIndex,
    MEDIA_TYPES.dockerManifest,
    MEDIA_TYPES.dockerIndex,
  ]) {
    assert.ok(accept.includes(type));
  }
});

test('a manifest that is not its digest is CORRUPT', async (t) => {
  const { registry, store } = await setUp(t);
  registry.manifests.set(digestOf('x'), { bytes: BYTES, type: MEDIA_TYPES.ociIndex });
  await assert.rejects(
    store.resolve(digestOf('x')),
    (error) => error instanceof AppError && error.code === 'CORRUPT',
  );
});

test('tags are listed page by page', async (t) => {
  const { registry, repository } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (!seen.path.endsWith('/tags/list')) return false;
    const last = seen.query.get('last');
    if (last === null) response.setHeader('link', '</v2/a/b/tags/list?last=b&n=2>; rel="next"');
    response.end(JSON.stringify({ name: 'a/b', tags: last === null ? ['a', 'b'] : ['c', '../bad'] }));
    return true;
  });
  assert.deepEqual(await listTags(repository), ['a', 'b', 'c']);
});

test('tags of a repository that is not there are none', async (t) => {
  assert.deepEqual(await listTags((await setUp(t)).repository), []);
});

test('mirrors are read in order, then the origin; writes go to the origin', async (t) => {
  const failing = await setUp(t);
  const mirror = await setUp(t);
  const origin = await setUp(t);
  const events: Event[] = [];
  const store = createMirroredStore([failing.store, mirror.store], origin.store, (event) =>
    events.push(event),
  );
  failing.registry.faults.push((seen, response) => {
    if (seen.path === '/v2/') return false;
    fail(response, 403, 'DENIED');
    return true;
  });
  const [atMirror, atOrigin] = [
    mirror.registry.addBlob(Buffer.from('m')),
    origin.registry.addBlob(Buffer.from('o')),
  ];
  assert.equal((await collect(await store.get(atMirror))).toString(), 'm');
  assert.equal((await collect(await store.get(atOrigin))).toString(), 'o');
  assert.equal(await store.has(digestOf('none')), undefined);
  await store.tag(BYTES, MEDIA_TYPES.ociIndex, 'v1');
  assert.equal(mirror.registry.manifests.size, 0);
  assert.ok(origin.registry.manifests.has('v1'));
  assert.ok(events.some((event) => event.type === 'warning' && event.code === 'AUTH'));
});

test('a mirror that cannot be reached is asked once', async (t) => {
  const gone = await setUp(t);
  await gone.registry.close();
  const origin = await setUp(t);
  const events: Event[] = [];
  const store = createMirroredStore([gone.store], origin.store, (event) => events.push(event));
  const digest = origin.registry.addBlob(Buffer.from('o'));
  assert.equal(await store.has(digest), 1);
  assert.equal(await store.has(digest), 1);
  assert.equal(events.length, 1);
});

test('what mirrors answered is told where the origin gives no answer', async (t) => {
  const [refusing, empty, gone, origin] = [await setUp(t), await setUp(t), await setUp(t), await setUp(t)];
  refusing.registry.faults.push((seen, response) => {
    if (seen.path === '/v2/') return false;
    fail(response, 403, 'DENIED');
    return true;
  });
  await gone.registry.close();
  const mirrors = [refusing.store, empty.store, gone.store];
  const store = createMirroredStore(mirrors, origin.store, () => {});
  assert.equal(await store.resolve('v1'), undefined, 'an answer of the origin is the answer');
  await origin.registry.close();
  for (const time of ['first', 'again'])
    await assert.rejects(store.resolve('v2'), (error) => {
      assert.ok(error instanceof AppError && error.code === 'REGISTRY', String(error));
      const [ofOrigin, ...said] = error.message.split('; ');
      assert.match(ofOrigin ?? '', /ECONNREFUSED/);
      assert.match(said[0] ?? '', /^the mirror \S+ was asked first: .* answered 403 \(DENIED/);
      assert.match(said[1] ?? '', /^the mirror \S+ does not have it$/);
      assert.match(said[2] ?? '', /^the mirror \S+ could not be reached: /, time);
      assert.match(error.hint ?? '', /listens at/);
      return true;
    });
});

test('a registry that cannot be reached is a REGISTRY error with a hint', async (t) => {
  const { registry, store } = await setUp(t);
  await registry.close();
  await assert.rejects(store.resolve('v1'), (error) => {
    assert.ok(error instanceof AppError && error.code === 'REGISTRY');
    assert.match(error.hint ?? '', /listens at/);
    return true;
  });
});
