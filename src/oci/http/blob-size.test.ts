import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { bytesSource } from '../blob-source.ts';
import { fail } from '../testing/fake-registry.ts';
import { FAST, openFakeStore } from '../testing/fake-store.ts';

const CONTENT = randomBytes(10_000);

/** Answers to HEAD that tell no size. */
const USELESS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'not allowed': (response) => fail(response, 405, 'UNSUPPORTED'),
  'forbidden, as a signed address for GET alone is': (response) => fail(response, 403, 'DENIED'),
  'a server error': (response) => fail(response, 500, 'UNKNOWN'),
  'not implemented': (response) => fail(response, 501, 'UNSUPPORTED'),
  'a bad request': (response) => fail(response, 400, 'UNSUPPORTED'),
  'no length': (response) => void response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(),
};

for (const [what, answer] of Object.entries(USELESS)) {
  test(`where HEAD is ${what}, the first byte tells the size`, async (t) => {
    const { registry, store } = await openFakeStore(t, { retry: { ...FAST, attempts: 2 } });
    const digest = registry.addBlob(CONTENT);
    registry.faults.push(({ method, path }, response) => {
      if (method !== 'HEAD' || !path.includes('/blobs/')) return false;
      answer(response);
      return true;
    });
    assert.equal(await store.has(digest), CONTENT.length);
    assert.equal(await store.has(digestOf('nothing')), undefined);
    const before = registry.seen.length;
    assert.equal(await store.has(digest), CONTENT.length);
    assert.equal(registry.seen.length, before + 1, 'HEAD is not tried again');
    assert.equal(await store.put(bytesSource(CONTENT)), 'exists');
  });
}

test('a registry that ignores ranges tells the length of the whole, which is not read', async (t) => {
  const { registry, store } = await openFakeStore(t);
  const large = Buffer.alloc(20_000_000);
  const digest = registry.addBlob(large);
  const closed = Promise.withResolvers<boolean>();
  registry.faults.push(({ method, path, headers }, response) => {
    delete headers.range;
    if (!path.includes('/blobs/')) return false;
    if (method !== 'HEAD') response.on('close', () => closed.resolve(response.writableFinished));
    else fail(response, 405, 'UNSUPPORTED');
    return method === 'HEAD';
  });
  assert.equal(await store.has(digest), large.length);
  assert.equal(await closed.promise, false, 'the connection was given up');
});

test('what no question tells is an error, and a push sends the blob', async (t) => {
  const { registry, store } = await openFakeStore(t, { retry: { ...FAST, attempts: 2 } });
  const digest = registry.addBlob(CONTENT);
  registry.faults.push(({ method, path }, response) => {
    if (!['GET', 'HEAD'].includes(method) || !path.includes('/blobs/')) return false;
    fail(response, 403, 'DENIED');
    return true;
  });
  await assert.rejects(store.has(digest), { code: 'AUTH' });
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
});
