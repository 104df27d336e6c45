import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { until } from '../../core/testing.ts';
import { createRemoteStore } from '../remote-store.ts';
import { collect, fail } from '../testing/fake-registry.ts';
import { FAST, openFakeStore } from '../testing/fake-store.ts';
import { createRegistryClient } from './client.ts';

const CONTENT = randomBytes(1_000_000);

async function setUp(t: TestContext) {
  const { registry, store, events } = await openFakeStore(t);
  const digest = registry.addBlob(CONTENT);
  const retries = () => events.filter(({ type }) => type === 'retry').length;
  const gets = () => registry.seen.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
  return { registry, store, digest, events, retries, gets };
}

test('a blob is read, and its bytes are reported', async (t) => {
  const { store, digest, events } = await setUp(t);
  assert.ok((await collect(await store.get(digest))).equals(CONTENT));
  const sum = events.reduce((total, event) => total + (event.type === 'transfer' ? event.bytes : 0), 0);
  assert.equal(sum, CONTENT.length);
});

test('ranges', async (t) => {
  const { store, digest, registry } = await setUp(t);
  const read = async (offset: number, length?: number) =>
    collect(await store.get(digest, length === undefined ? { offset } : { offset, length }));
  assert.ok((await read(10, 20)).equals(CONTENT.subarray(10, 30)));
  assert.ok((await read(999_990)).equals(CONTENT.subarray(999_990)));
  assert.equal((await read(5, 0)).length, 0);
  registry.faults.push((seen) => {
    delete seen.headers.range;
    return false;
  });
  assert.ok(
    (await read(300_000, 20)).equals(CONTENT.subarray(300_000, 300_020)),
    'a registry that ignores ranges',
  );
});

test('a connection that breaks is resumed where it broke', async (t) => {
  const { registry, store, digest, gets, retries } = await setUp(t);
  let breaks = 0;
  registry.faults.push((seen, response) => {
    const from = Number(/bytes=(\d+)-/.exec(seen.headers.range ?? '')?.[1] ?? 0);
    if (!seen.path.includes('/blobs/') || breaks === 6) return false;
    breaks += 1;
    if (from > 0)
      response.setHeader('content-range', `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}`);
    response.writeHead(from > 0 ? 206 : 200, { 'content-length': CONTENT.length - from });
    response.write(CONTENT.subarray(from, from + 100_000), () => response.destroy());
    return true;
  });
  assert.ok((await collect(await store.get(digest))).equals(CONTENT));
  assert.equal(gets().length, 7);
  assert.equal(retries(), 6, 'progress renews the attempts');
});

test('a registry that always breaks off without progress is an error', async (t) => {
  const { registry, store, digest } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.flushHeaders();
    setImmediate(() => response.destroy());
    return true;
  });
  await assert.rejects(
    store.get(digest).then(collect),
    (error) => error instanceof AppError && error.code === 'REGISTRY',
  );
});

test('a truncated answer without a length is an error', async (t) => {
  const { registry, store, digest } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    response.writeHead(200).end(CONTENT.subarray(0, 1000));
    return true;
  });
  await assert.rejects(
    store.get(digest).then(collect),
    (error) => error instanceof AppError && error.code === 'CORRUPT',
  );
});

test('other content is CORRUPT', async (t) => {
  const { registry, store, digest } = await setUp(t);
  registry.blobs.set(digest, Buffer.concat([CONTENT.subarray(1), Buffer.of(0)]));
  await assert.rejects(
    store.get(digest).then(collect),
    (error) => error instanceof AppError && error.code === 'CORRUPT',
  );
});

test('a missing blob is REFERENCE for get and undefined for has', async (t) => {
  const { store } = await setUp(t);
  assert.equal(await store.has(digestOf('x')), undefined);
  await assert.rejects(
    store.get(digestOf('x')),
    (error) => error instanceof AppError && error.code === 'REFERENCE',
  );
});

test('429 is tried again after the time that it names, 500 after a while', async (t) => {
  const { registry, store, digest, events } = await setUp(t);
  let calls = 0;
  registry.faults.push((seen, response) => {
    if (!seen.path.includes('/blobs/') || calls === 2) return false;
    calls += 1;
    if (calls === 1) fail(response, 429, 'TOOMANYREQUESTS', { 'retry-after': '1' });
    else fail(response, 500, 'UNKNOWN');
    return true;
  });
  assert.equal(await store.has(digest), CONTENT.length);
  assert.deepEqual(
    events.map((event) => event.type === 'retry' && event.delayMs >= 1000),
    [true, false],
  );
});

test('an error shows what the registry said, and no query', async (t) => {
  const { registry, store, digest } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    fail(response, 403, 'DENIED');
    return true;
  });
  await assert.rejects(store.get(digest), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'AUTH');
    assert.match(error.message, /403 \(DENIED: the DENIED message\)/);
    assert.equal(error.where?.url, `http://${registry.host}/v2/a/b/blobs/${digest}`);
    return true;
  });
});

test('a redirect to object storage is followed without the Authorization header', async (t) => {
  const { registry, digest } = await setUp(t);
  const seen: (string | undefined)[] = [];
  const storage = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(CONTENT);
  });
  await new Promise<void>((resolve) => storage.listen(0, '127.0.0.1', resolve));
  const client = createRegistryClient({ credentials: async () => ({ registryToken: 'mine' }), retry: FAST });
  t.after(async () => {
    await client.close();
    storage.close();
  });
  const { port } = storage.address() as AddressInfo;
  registry.faults.push((at, response) => {
    if (!at.path.includes('/blobs/')) return false;
    assert.equal(at.headers.authorization, 'Bearer mine');
    response.writeHead(307, { location: `http://127.0.0.1:${port}/bucket?X-Signature=secret` }).end();
    return true;
  });
  const store = createRemoteStore({ client, registry: registry.host, repository: 'a/b' });
  assert.ok((await collect(await store.get(digest))).equals(CONTENT));
  assert.deepEqual(seen, [undefined]);
});

test('destroying the stream ends the request, and an abort is thrown as it is', async (t) => {
  const { registry, store, digest } = await setUp(t);
  let [begun, closed] = [0, 0];
  registry.faults.push((seen, response) => {
    if (!seen.path.includes('/blobs/')) return false;
    begun += 1;
    response.on('close', () => {
      closed += 1;
    });
    response.writeHead(200, { 'content-length': CONTENT.length });
    response.write(CONTENT.subarray(0, 50_000));
    return true;
  });
  const stream = await store.get(digest);
  await new Promise((resolve) => stream.once('data', resolve));
  stream.destroy();
  const abort = new AbortController();
  const reading = store.get(digest, undefined, abort.signal).then(collect);
  await until('both are asked for', () => begun === 2);
  abort.abort(new Error('stop'));
  await assert.rejects(reading, /stop/);
  await until('both are closed', () => closed === 2);
});
