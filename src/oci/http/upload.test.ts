import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { bytesSource } from '../blob-source.ts';
import { fail } from '../testing/fake-registry.ts';
import { FAST, openFakeStore } from '../testing/fake-store.ts';

const CONTENT = randomBytes(3_000_000);
const DIGEST = digestOf(CONTENT);

async function setUp(t: TestContext) {
  const { registry, store, events } = await openFakeStore(t);
  const methods = () => registry.seen.filter(({ path }) => path !== '/v2/').map(({ method }) => method);
  return { registry, store, methods, events };
}

test('a blob is sent in one piece, and not again', async (t) => {
  const { registry, store, methods, events } = await setUp(t);
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.ok(registry.blobs.get(DIGEST)?.equals(CONTENT));
  assert.deepEqual(methods(), ['HEAD', 'POST', 'PUT']);
  const sum = events.reduce((total, event) => total + (event.type === 'transfer' ? event.bytes : 0), 0);
  assert.equal(sum, CONTENT.length);
  assert.equal(await store.put(bytesSource(CONTENT)), 'exists');
});

test('an empty blob', async (t) => {
  const { registry, store } = await setUp(t);
  assert.equal(await store.put(bytesSource(Buffer.alloc(0))), 'stored');
  assert.ok(registry.blobs.has(digestOf('')));
});

test('a blob is mounted from another repository where the registry can', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.addBlob(CONTENT);
  registry.faults.push((seen, response) => {
    if (seen.method !== 'HEAD') return false;
    fail(response, 404, 'BLOB_UNKNOWN');
    return true;
  });
  assert.equal(await store.put({ ...bytesSource(CONTENT), mountFrom: 'c/d' }), 'mounted');
  assert.equal(registry.seen.at(-1)?.query.get('from'), 'c/d');
  const other = Buffer.from('not there');
  assert.equal(await store.put({ ...bytesSource(other), mountFrom: 'c/d' }), 'stored');
  assert.deepEqual(methods(), ['HEAD', 'POST', 'POST', 'PUT']);
});

test('a body that is too large for one piece is sent in chunks', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.faults.push((seen, response, request) => {
    if (seen.method !== 'PUT' || seen.headers['content-length'] === '0') return false;
    request.resume().on('end', () => fail(response, 413, 'SIZE_INVALID'));
    return true;
  });
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.deepEqual(methods(), ['HEAD', 'POST', 'PUT', 'POST', 'PATCH', 'PUT']);
  assert.equal(
    registry.seen.find(({ method }) => method === 'PATCH')?.headers['content-range'],
    `0-${CONTENT.length - 1}`,
  );
});

test('an upload that breaks goes on where the registry stands', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.breakUpload.at = 1_000_000;
  const offsets: number[] = [];
  const source = bytesSource(CONTENT);
  const open = (offset = 0) => {
    offsets.push(offset);
    return Readable.from([CONTENT.subarray(offset)], { objectMode: false });
  };
  assert.equal(await store.put({ ...source, open }), 'stored');
  assert.ok(registry.blobs.get(DIGEST)?.equals(CONTENT));
  assert.deepEqual(methods(), ['HEAD', 'POST', 'PUT', 'GET', 'PATCH', 'PUT']);
  assert.ok(offsets[1]! > 500_000, String(offsets));
});

test('a registry that answers a mount with an error gets the blob', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (!seen.query.has('mount')) return false;
    fail(response, 405, 'UNSUPPORTED');
    return true;
  });
  assert.equal(await store.put({ ...bytesSource(CONTENT), mountFrom: 'c/d' }), 'stored');
  assert.deepEqual(methods(), ['HEAD', 'POST', 'POST', 'PUT']);
});

test('a registry without chunks gets a broken upload again in one piece', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.breakUpload.at = 1_000_000;
  registry.faults.push((seen, response) => {
    if (seen.method !== 'PATCH') return false;
    fail(response, 405, 'UNSUPPORTED');
    return true;
  });
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.ok(registry.blobs.get(DIGEST)?.equals(CONTENT));
  assert.deepEqual(methods(), ['HEAD', 'POST', 'PUT', 'GET', 'PATCH', 'POST', 'PUT']);
});

test('a session that the registry forgot is begun anew', async (t) => {
  const { registry, store, methods } = await setUp(t);
  let forgotten = false;
  registry.faults.push((seen, response) => {
    if (seen.method !== 'PUT' || forgotten) return false;
    forgotten = true;
    fail(response, 404, 'BLOB_UPLOAD_UNKNOWN');
    return true;
  });
  assert.equal(await store.put(bytesSource(Buffer.from('small'))), 'stored');
  assert.deepEqual(methods(), ['POST', 'PUT', 'POST', 'PUT']);
});

test('what was put once is not sent or asked for again, and a failure is not taken for that', async (t) => {
  const { registry, store, methods } = await setUp(t);
  const small = bytesSource(Buffer.from('small'));
  let refused = false;
  registry.faults.push((seen, response) => {
    if (seen.method !== 'POST' || refused) return false;
    refused = true;
    fail(response, 403, 'DENIED');
    return true;
  });
  await assert.rejects(store.put(small));
  assert.equal(await store.put(small), 'stored');
  assert.equal(await store.put(small), 'exists');
  assert.deepEqual(methods(), ['POST', 'POST', 'PUT']);
});

test('what the repository has just said that it holds is neither asked for nor sent', async (t) => {
  const { registry, store, methods } = await setUp(t);
  const [small, large] = [Buffer.from('small'), CONTENT];
  registry.addBlob(small);
  registry.addBlob(large);
  for (const bytes of [small, large]) {
    assert.equal(await store.has(digestOf(bytes)), bytes.length);
    assert.equal(await store.put(bytesSource(bytes)), 'exists');
  }
  assert.deepEqual(methods(), ['HEAD', 'HEAD']);
});

test('what was absent or of another size when it was asked for is sent', async (t) => {
  const { registry, store, methods } = await setUp(t);
  const [small, other] = [Buffer.from('small'), Buffer.from('other')];
  assert.equal(await store.has(digestOf(small)), undefined);
  assert.equal(await store.put(bytesSource(small)), 'stored');
  registry.faults.push((seen, response) => {
    if (seen.method !== 'HEAD') return false;
    response.writeHead(200, { 'content-length': 1 }).end();
    return true;
  });
  assert.equal(await store.has(digestOf(other)), 1);
  assert.equal(await store.put(bytesSource(other)), 'stored');
  assert.deepEqual(methods().slice(-5), ['POST', 'PUT', 'HEAD', 'POST', 'PUT']);
});

test('what could not be read is sent, whatever is said to be there', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.addBlob(CONTENT);
  assert.equal(await store.has(DIGEST), CONTENT.length);
  assert.equal(await store.put({ ...bytesSource(CONTENT), anew: true }), 'stored');
  assert.deepEqual(methods(), ['HEAD', 'POST', 'PUT']);
});

test('content that is not the digest is CORRUPT', async (t) => {
  const { store } = await setUp(t);
  const wrong = { ...bytesSource(CONTENT), digest: digestOf('other') };
  await assert.rejects(store.put(wrong), (error) => error instanceof AppError && error.code === 'CORRUPT');
});

test('a source that ends early is CORRUPT', async (t) => {
  const { store } = await setUp(t);
  const short = {
    ...bytesSource(CONTENT),
    open: () => Readable.from([CONTENT.subarray(1)], { objectMode: false }),
  };
  await assert.rejects(store.put(short), (error) => error instanceof AppError && error.code === 'CORRUPT');
});

test('a registry that always fails is an error after the last attempt', async (t) => {
  const { registry, store, methods } = await setUp(t);
  registry.faults.push((seen, response) => {
    if (seen.method !== 'PUT') return false;
    fail(response, 502, 'UNKNOWN');
    return true;
  });
  await assert.rejects(
    store.put(bytesSource(Buffer.from('x'))),
    (error) => error instanceof AppError && error.code === 'REGISTRY',
  );
  assert.equal(methods().filter((method) => method === 'PUT').length, FAST.attempts);
});
