import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import bcrypt from 'bcryptjs';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { tempDir, until } from '../core/testing.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { dirLayout } from '../oci/dir-layout.ts';
import { createDirectoryStore } from '../oci/dir-store.ts';
import { createRegistryClient } from '../oci/http/client.ts';
import { listTags } from '../oci/http/tags.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { createRemoteStore } from '../oci/remote-store.ts';
import { collect } from '../oci/testing/fake-registry.ts';
import { putImage } from '../oci/testing/images.ts';
import { createHtpasswdGuard } from './htpasswd.ts';
import { startRegistryServer } from './server.ts';
import { startTestServer } from './testing.ts';

const CONTENT = randomBytes(3_000_000);
const DIGEST = digestOf(CONTENT);

async function begin(url: string): Promise<string> {
  const response = await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' });
  assert.equal(response.status, 202);
  return url + response.headers.get('location');
}

async function pushBlob(url: string, content: Buffer, repository = 'a'): Promise<Response> {
  const path = `${url}/v2/${repository}/blobs/uploads/?digest=${digestOf(content)}`;
  return fetch(path, { method: 'POST', body: new Uint8Array(content) });
}

/** Sends the first `bytes` of a body and breaks the connection as soon as the server has got enough of them. */
async function breakOff(target: string, bytes: Buffer, total: number, enough: () => boolean): Promise<void> {
  const sending = request(target, { method: 'PATCH', headers: { 'content-length': total } });
  const broken = new Promise((resolve) => sending.on('error', resolve));
  sending.write(bytes);
  await until('the server has it', enough);
  sending.destroy(new Error('broken'));
  await broken;
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { errors: { code: string }[] }).errors[0]!.code;
}

test('our own client pushes and pulls', async (t) => {
  const { host, root } = await startTestServer(t);
  const client = createRegistryClient();
  t.after(client.close);
  const store = createRemoteStore({ client, registry: host, repository: 'team/app' });
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.equal(await store.put(bytesSource(CONTENT)), 'exists');
  assert.ok((await collect(await store.get(DIGEST))).equals(CONTENT));
  assert.ok(
    (await collect(await store.get(DIGEST, { offset: 5, length: 9 }))).equals(CONTENT.subarray(5, 14)),
  );
  const image = await putImage(store, 'v1');
  assert.deepEqual((await store.resolve('v1'))?.descriptor, image);
  const local = createDirectoryStore({ root, repository: 'team/app' });
  assert.deepEqual((await local.resolve('v1'))?.descriptor, image, 'the layer cache sees the same');
  const other = createRemoteStore({ client, registry: host, repository: 'other' });
  assert.equal(await other.put({ ...bytesSource(CONTENT), mountFrom: 'team/app' }), 'mounted');
});

test('what the layer cache stores is served', async (t) => {
  const { url, root } = await startTestServer(t);
  const store = createDirectoryStore({ root, repository: 'local/cache' });
  await putImage(store, 'v1');
  await store.put(bytesSource(CONTENT));
  const manifest = await fetch(`${url}/v2/local/cache/manifests/v1`);
  assert.equal(manifest.headers.get('content-type'), MEDIA_TYPES.ociManifest);
  const blob = await fetch(`${url}/v2/local/cache/blobs/${DIGEST}`);
  assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), DIGEST);
  const catalog = await fetch(`${url}/v2/_catalog`);
  assert.deepEqual(await catalog.json(), { repositories: ['local/cache'] });
});

test('an upload goes on where its connection broke, even in another process', async (t) => {
  const { url, root } = await startTestServer(t);
  const second = await startTestServer(t, { root });
  const location = await begin(url);
  const { uploads } = dirLayout(root, 'a');
  const received = (): number =>
    fs
      .readdirSync(uploads, { recursive: true, withFileTypes: true })
      .reduce(
        (sum, file) => sum + (file.isFile() ? fs.statSync(join(file.parentPath, file.name)).size : 0),
        0,
      );
  await breakOff(location, CONTENT.subarray(0, 1_500_000), CONTENT.length, () => received() > 1_000_000);
  const elsewhere = second.url + new URL(location).pathname;
  const status = await fetch(elsewhere);
  const held = Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1]) + 1;
  assert.ok(held > 1_000_000 && held <= 1_500_000, `${held}`);
  const rest = new Uint8Array(CONTENT.subarray(held));
  const wrong = await fetch(elsewhere, {
    method: 'PATCH',
    headers: { 'content-range': `0-${rest.length - 1}` },
    body: rest,
  });
  assert.equal(wrong.status, 416);
  assert.equal(wrong.headers.get('range'), `0-${held - 1}`);
  const range = `${held}-${CONTENT.length - 1}`;
  const right = await fetch(elsewhere, { method: 'PATCH', headers: { 'content-range': range }, body: rest });
  assert.equal(right.status, 202);
  const done = await fetch(`${location}?digest=${DIGEST}`, { method: 'PUT' });
  assert.equal(done.status, 201);
  const pulled = await fetch(`${second.url}/v2/a/blobs/${DIGEST}`);
  assert.equal(digestOf(Buffer.from(await pulled.arrayBuffer())), DIGEST);
  assert.deepEqual(fs.readdirSync(dirLayout(root, 'a').uploads), []);
});

test('a second writer takes an upload over from a connection that is dead', async (t) => {
  const { url } = await startTestServer(t);
  const location = await begin(url);
  const hanging = request(location, { method: 'PATCH', headers: { 'content-length': 1000 } });
  hanging.on('error', () => {});
  hanging.write(Buffer.alloc(10));
  // Wait: whether it came by then makes no difference below.
  await new Promise((resolve) => setTimeout(resolve, 100));
  const held = Number(/^0-(\d+)$/.exec((await fetch(location)).headers.get('range') ?? '')?.[1]);
  assert.equal(held, 0, 'bytes that came in small parts may still be on their way to the file');
  const again = await fetch(location, { method: 'PATCH', body: new Uint8Array(90) });
  assert.equal(again.status, 202);
  assert.ok(Number(again.headers.get('range')?.slice(2)) >= 89);
});

test('content with another digest is refused, and nothing of it stays', async (t) => {
  const { url, root } = await startTestServer(t);
  const location = await begin(url);
  const answer = await fetch(`${location}?digest=${DIGEST}`, { method: 'PUT', body: new Uint8Array(100) });
  assert.equal(answer.status, 400);
  assert.equal(await codeOf(answer), 'DIGEST_INVALID');
  assert.equal((await fetch(`${url}/v2/a/blobs/${DIGEST}`)).status, 404);
  assert.equal((await fetch(location)).status, 404);
  assert.equal(fs.existsSync(dirLayout(root, 'a').blob(DIGEST)), false);
});

test('ranges, entity tags and sha512', async (t) => {
  const { url } = await startTestServer(t);
  await pushBlob(url, CONTENT);
  const get = (headers: Record<string, string>) => fetch(`${url}/v2/a/blobs/${DIGEST}`, { headers });
  const cases = [
    ['bytes=0-0', 206, CONTENT.subarray(0, 1)],
    ['bytes=-4', 206, CONTENT.subarray(-4)],
    ['bytes=2999990-9999999', 206, CONTENT.subarray(2_999_990)],
    ['bytes=0-1,3-4', 200, CONTENT],
  ] as const;
  for (const [range, status, expected] of cases) {
    const answer = await get({ range });
    assert.equal(answer.status, status, range);
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(expected), range);
  }
  const beyond = await get({ range: 'bytes=3000000-' });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers.get('content-range'), 'bytes */3000000');
  assert.equal((await get({ 'if-none-match': `W/"x", "${DIGEST}"` })).status, 304);
  assert.equal((await get({ range: 'bytes=0-0', 'if-range': '"other"' })).status, 200);
  const sha512 = `sha512:${createHash('sha512').update(CONTENT).digest('hex')}`;
  const pushed = await fetch(`${url}/v2/a/blobs/uploads/?digest=${sha512}`, {
    method: 'POST',
    body: new Uint8Array(CONTENT),
  });
  assert.equal(pushed.status, 201);
  assert.equal((await fetch(`${url}/v2/a/blobs/${sha512}`, { method: 'HEAD' })).status, 200);
});

test('a blob that is damaged on disk is never served whole, and a push heals it', async (t) => {
  const { url, root, events } = await startTestServer(t);
  await pushBlob(url, CONTENT);
  const path = dirLayout(root, 'a').blob(DIGEST);
  const damaged = Buffer.from(CONTENT);
  damaged[5]! ^= 1;
  fs.writeFileSync(path, damaged);
  const answer = await fetch(`${url}/v2/a/blobs/${DIGEST}`);
  await assert.rejects(answer.arrayBuffer());
  assert.equal((await fetch(`${url}/v2/a/blobs/${DIGEST}`)).status, 404);
  assert.ok(events.some((event) => event.type === 'warning' && event.code === 'CORRUPT'));
  await pushBlob(url, CONTENT);
  const healed = await fetch(`${url}/v2/a/blobs/${DIGEST}`);
  assert.equal(digestOf(Buffer.from(await healed.arrayBuffer())), DIGEST);
});

test('tags come in pages, and go when their manifest goes', async (t) => {
  const { url, host } = await startTestServer(t);
  const client = createRegistryClient();
  t.after(client.close);
  const repository = { client, registry: host, repository: 'a' };
  const store = createRemoteStore(repository);
  for (const tag of ['b', 'A', 'c', 'B', 'a']) await putImage(store, tag, 'amd64', 'same');
  assert.deepEqual(await listTags(repository), ['A', 'a', 'B', 'b', 'c']);
  const first = await fetch(`${url}/v2/a/tags/list?n=2`);
  assert.equal(first.headers.get('link'), '</v2/a/tags/list?n=2&last=a>; rel="next"');
  const last = await fetch(`${url}/v2/a/tags/list?n=2&last=b`);
  assert.equal(last.headers.get('link'), null);
  assert.deepEqual(((await last.json()) as { tags: string[] }).tags, ['c']);
  const image = await store.resolve('a');
  await fetch(`${url}/v2/a/manifests/b`, { method: 'DELETE' });
  assert.deepEqual(await listTags(repository), ['A', 'a', 'B', 'c']);
  const gone = await fetch(`${url}/v2/a/manifests/${image!.descriptor.digest}`, { method: 'DELETE' });
  assert.equal(gone.status, 202);
  assert.deepEqual(await listTags(repository), []);
  assert.equal((await fetch(`${url}/v2/none/tags/list`)).status, 404);
});

test('manifests that nobody could pull are refused', async (t) => {
  const { url, host } = await startTestServer(t);
  const client = createRegistryClient();
  t.after(client.close);
  const store = createRemoteStore({ client, registry: host, repository: 'a' });
  const image = await putImage(store, 'good');
  const good = JSON.parse((await store.resolve('good'))!.bytes.toString());
  const put = (value: unknown, type: string = MEDIA_TYPES.ociManifest, repository = 'a') =>
    fetch(`${url}/v2/${repository}/manifests/x`, {
      method: 'PUT',
      headers: { 'content-type': type },
      body: typeof value === 'string' ? value : JSON.stringify(value),
    });
  const cases: [string, Promise<Response>, string][] = [
    ['no JSON', put('{'), 'MANIFEST_INVALID'],
    ['another type', put(good, MEDIA_TYPES.dockerManifest), 'MANIFEST_INVALID'],
    ['schema 1', put({ schemaVersion: 1 }), 'MANIFEST_INVALID'],
    ['a wrong size', put({ ...good, config: { ...good.config, size: 1 } }), 'SIZE_INVALID'],
    ['a missing blob', put({ ...good, config: { ...good.config, digest: DIGEST } }), 'MANIFEST_BLOB_UNKNOWN'],
    ['blobs of another repository', put(good, MEDIA_TYPES.ociManifest, 'b'), 'MANIFEST_BLOB_UNKNOWN'],
    ['too large', put({ ...good, annotations: { a: 'x'.repeat(4 << 20) } }), 'SIZE_INVALID'],
    ['a bad name', fetch(`${url}/v2/UPPER/manifests/x`), 'NAME_INVALID'],
    ['a path upwards', fetch(`${url}/v2/a%2f..%2fb/manifests/x`), 'NAME_INVALID'],
    ['a bad digest', fetch(`${url}/v2/a/blobs/sha256:1`), 'DIGEST_INVALID'],
  ];
  for (const [what, answer, code] of cases) assert.equal(await codeOf(await answer), code, what);
  const accept = { accept: MEDIA_TYPES.dockerManifest };
  assert.equal((await fetch(`${url}/v2/a/manifests/good`, { headers: accept })).status, 404);
  const digest = image.digest;
  const etag = await fetch(`${url}/v2/a/manifests/good`, { headers: { 'if-none-match': `"${digest}"` } });
  assert.equal(etag.status, 304);
});

test('htpasswd lets its users in, and follows the file', async (t) => {
  const file = join(tempDir(t), 'htpasswd');
  const line = (user: string, password: string) => `${user}:${bcrypt.hashSync(password, 4)}\n`;
  fs.writeFileSync(file, line('ann', 'one:two'));
  const { guard, close } = createHtpasswdGuard(file);
  t.after(close);
  const { url, host } = await startTestServer(t, { guard });
  const login = async (user: string, password: string): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    return (await fetch(`${url}/v2/`, { headers: { authorization } })).status;
  };
  const anonymous = await fetch(`${url}/v2/`);
  assert.equal(anonymous.status, 401);
  assert.match(anonymous.headers.get('www-authenticate') ?? '', /^Basic realm=/);
  assert.equal((await fetch(url)).status, 200, 'a health check needs no password');
  assert.equal(await login('ann', 'one:two'), 200);
  assert.equal(await login('ann', 'other'), 401);
  assert.equal(await login('eve', ''), 401);
  const client = createRegistryClient({
    credentials: async () => ({ username: 'ann', password: 'one:two' }),
  });
  t.after(client.close);
  await putImage(createRemoteStore({ client, registry: host, repository: 'a' }), 'v1');
  fs.writeFileSync(file, line('bob', 'three'));
  assert.equal(await login('ann', 'one:two'), 401);
  assert.equal(await login('bob', 'three'), 200);
  fs.writeFileSync(file, 'ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n');
  assert.throws(
    () => createHtpasswdGuard(file),
    (error) => error instanceof AppError && error.code === 'USAGE',
  );
});

test('memory does not grow with a blob', async (t) => {
  const { url } = await startTestServer(t);
  const size = 300 << 20;
  const zeros = Buffer.alloc(1 << 20);
  const hash = createHash('sha256');
  for (let i = 0; i < 300; i += 1) hash.update(zeros);
  const digest = `sha256:${hash.digest('hex')}`;
  async function* body() {
    for (let i = 0; i < 300; i += 1) yield zeros;
  }
  const before = process.memoryUsage.rss();
  const location = await begin(url);
  const answer = await fetch(`${location}?digest=${digest}`, { method: 'PUT', body: body(), duplex: 'half' });
  assert.equal(answer.status, 201);
  let received = 0;
  for await (const chunk of (await fetch(`${url}/v2/a/blobs/${digest}`)).body!) received += chunk.length;
  assert.equal(received, size);
  const grown = (process.memoryUsage.rss() - before) >> 20;
  assert.ok(grown < 150, `grew by ${grown} MiB`);
});

test('a full disk is said to the client, and what fits still goes in', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const root = tempDir(t);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
  try {
    const { url } = await startTestServer(t, { root });
    const answer = await pushBlob(url, CONTENT);
    assert.equal(answer.status, 507);
    assert.equal((await fetch(`${url}/v2/a/blobs/${DIGEST}`)).status, 404);
    fs.rmSync(dirLayout(root, 'a').uploads, { recursive: true });
    assert.equal((await pushBlob(url, CONTENT.subarray(0, 500_000))).status, 201);
  } finally {
    execFileSync('umount', ['-l', root]);
  }
});

test('what cannot be served is said before it is tried', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'mine.txt'), 'x');
  const start = (options: object) =>
    startRegistryServer({ host: '127.0.0.1', port: 0, root: tempDir(t), ...options });
  const coded = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;
  await assert.rejects(start({ root: dir }), coded('CACHE_DIR'));
  await assert.rejects(start({ host: '192.0.2.1' }), coded('USAGE'));
  await assert.rejects(start({ tls: { cert: 'no', key: 'no' } }), coded('USAGE'));
});
