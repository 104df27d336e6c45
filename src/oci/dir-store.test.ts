import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { digestOf } from '../core/digest.ts';
import { AppError, type ErrorCode } from '../core/error.ts';
import { tempDir } from '../core/testing.ts';
import { bytesSource, fileSource } from './blob-source.ts';
import { copyBlob } from './copy.ts';
import { dirLayout } from './dir-layout.ts';
import { purgeScratch } from './dir-scratch.ts';
import { createDirectoryStore } from './dir-store.ts';
import { createRegistryClient } from './http/client.ts';
import { createRemoteStore } from './remote-store.ts';
import { noRegistry, startRegistry } from './testing/debian-registry.ts';
import { collect } from './testing/fake-registry.ts';
import { putImage } from './testing/images.ts';

const run = promisify(execFile);
const CONTENT = randomBytes(3_000_000);
const DIGEST = digestOf(CONTENT);
const noSkopeo: string | false = fs.existsSync('/usr/bin/skopeo') ? false : 'skopeo is not installed';
const coded = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code;

/** All files below a directory. */
function files(dir: string): string[] {
  const entries = fs.readdirSync(dir, { recursive: true, withFileTypes: true });
  const stored = entries.filter((entry) => entry.isFile() && entry.name !== '.envbuilder.lock');
  return stored.map((entry) => join(entry.parentPath, entry.name));
}

test('a blob goes in once and comes out whole or in part', async (t) => {
  const store = createDirectoryStore({ root: join(tempDir(t), 'new'), repository: 'a/b' });
  assert.equal(await store.has(DIGEST), undefined);
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.equal(await store.put(bytesSource(CONTENT)), 'exists');
  assert.equal(await store.has(DIGEST), CONTENT.length);
  assert.ok((await collect(await store.get(DIGEST))).equals(CONTENT));
  assert.ok(
    (await collect(await store.get(DIGEST, { offset: 5, length: 7 }))).equals(CONTENT.subarray(5, 12)),
  );
  assert.ok(
    (await collect(await store.get(DIGEST, { offset: 2_999_999 }))).equals(CONTENT.subarray(2_999_999)),
  );
  await assert.rejects(store.get(digestOf('none')), coded('REFERENCE'));
});

test('a repository does not hold what another one was given, until it is put', async (t) => {
  const root = tempDir(t);
  await createDirectoryStore({ root, repository: 'a' }).put(bytesSource(CONTENT));
  const other = createDirectoryStore({ root, repository: 'b' });
  assert.equal(await other.has(DIGEST), undefined);
  assert.equal(await other.put(bytesSource(CONTENT)), 'mounted');
  assert.equal(await other.has(DIGEST), CONTENT.length);
});

test('nothing is written by looking', async (t) => {
  const root = join(tempDir(t), 'new');
  const store = createDirectoryStore({ root, repository: 'a' });
  assert.equal(await store.has(DIGEST), undefined);
  assert.equal(await store.resolve('latest'), undefined);
  assert.equal(fs.existsSync(root), false);
});

test('a verified file is linked, another one is read first', async (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'layer');
  fs.writeFileSync(file, CONTENT, { mode: 0o600 });
  const root = join(dir, 'root');
  await createDirectoryStore({ root, repository: 'a' }).put(fileSource(file, DIGEST, CONTENT.length, true));
  const stat = fs.statSync(dirLayout(root, 'a').blob(DIGEST));
  assert.equal(stat.ino, fs.statSync(file).ino);
  assert.equal(stat.mode & 0o777, 0o644);
  const wrong = fileSource(file, digestOf('other'), CONTENT.length);
  await assert.rejects(createDirectoryStore({ root, repository: 'a' }).put(wrong), coded('CORRUPT'));
});

test('what does not match its digest or breaks off leaves nothing behind', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const good = bytesSource(CONTENT);
  await assert.rejects(store.put({ ...good, digest: digestOf('other') }), coded('CORRUPT'));
  await assert.rejects(store.put({ ...good, size: 5 }), coded('CORRUPT'));
  const abort = new AbortController();
  abort.abort(new Error('stop'));
  await assert.rejects(store.put(good, abort.signal), /stop/);
  assert.deepEqual(files(root), []);
});

test('a damaged blob is CORRUPT, then absent, and a put heals it', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  await store.put(bytesSource(CONTENT));
  const path = dirLayout(root, 'a').blob(DIGEST);
  const damaged = Buffer.from(CONTENT);
  damaged[1234]! ^= 1;
  fs.writeFileSync(path, damaged);
  await assert.rejects(store.get(DIGEST).then(collect), coded('CORRUPT'));
  assert.equal(await store.has(DIGEST), undefined);
  await store.put(bytesSource(CONTENT));
  assert.ok((await collect(await store.get(DIGEST))).equals(CONTENT));
  fs.truncateSync(path, 100);
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored', 'a wrong size is seen without reading');
});

test('tags are replaced, manifests are verified', async (t) => {
  const root = tempDir(t);
  const store = createDirectoryStore({ root, repository: 'a' });
  const first = await putImage(store, 'v1', 'amd64');
  const second = await putImage(store, 'v1', 'arm64');
  assert.notEqual(first.digest, second.digest);
  assert.deepEqual((await store.resolve('v1'))?.descriptor, second);
  assert.deepEqual((await store.resolve(first.digest))?.descriptor, first);
  assert.equal(await store.resolve(DIGEST), undefined);
  assert.equal(await store.resolve('../../v1'), undefined);
  fs.appendFileSync(dirLayout(root, 'a').blob(second.digest), ' ');
  await assert.rejects(store.resolve('v1'), coded('CORRUPT'));
  await putImage(store, 'v1', 'arm64');
  assert.deepEqual((await store.resolve('v1'))?.descriptor, second);
});

test('directories that cannot be used are refused with a hint', async (t) => {
  const dir = tempDir(t);
  const refused = (root: string, hint: RegExp) =>
    assert.throws(
      () => createDirectoryStore({ root, repository: 'a' }),
      (error) => error instanceof AppError && error.code === 'CACHE_DIR' && hint.test(error.hint ?? ''),
    );
  fs.writeFileSync(join(dir, 'file'), '');
  refused(join(dir, 'file'), /name a directory/);
  refused(dir, /empty directory/);
  const store = createDirectoryStore({ root: join(dir, 'cache'), repository: 'a' });
  await store.put(bytesSource(CONTENT));
  refused(join(dir, 'cache/docker/registry/v2'), new RegExp(`name ${join(dir, 'cache')} instead`));
  refused(join(dir, 'file/below'), /a part of the path is a file/);
});

test('a full disk is DISK_FULL and leaves no temporary file', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const root = tempDir(t);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
  try {
    const store = createDirectoryStore({ root, repository: 'a' });
    await assert.rejects(store.put(bytesSource(CONTENT)), coded('DISK_FULL'));
    assert.deepEqual(files(root), []);
  } finally {
    await run('umount', [root]);
  }
});

test('processes that are killed while they write leave whole blobs only', async (t) => {
  const root = tempDir(t);
  const script = `
    import { randomBytes } from 'node:crypto';
    import { createDirectoryStore } from '${new URL('./dir-store.ts', import.meta.url).pathname}';
    import { bytesSource } from '${new URL('./blob-source.ts', import.meta.url).pathname}';
    const store = createDirectoryStore({ root: process.argv[1], repository: 'a' });
    for (let i = 0; ; i += 1) {
      await store.put(bytesSource(Buffer.alloc(200_000, i)));
      await store.put(bytesSource(randomBytes(200_000)));
      await store.tag(Buffer.from('{"schemaVersion":2,"manifests":[],"i":' + i + '}'), 'application/vnd.oci.image.index.v1+json', 'v');
      process.stdout.write('.');
    }`;
  const writers = [1, 2].map(() =>
    spawn(process.execPath, ['--input-type=module', '-e', script, root], {
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  await Promise.all(
    writers.map(async (child, i) => {
      let rounds = 0;
      for await (const dots of child.stdout) {
        rounds += (dots as Buffer).length;
        if (rounds > 15 + i * 7) child.kill('SIGKILL');
      }
    }),
  );
  const blobs = files(join(root, 'docker/registry/v2/blobs'));
  assert.ok(blobs.length > 30);
  for (const path of blobs)
    assert.ok(path.endsWith(`${digestOf(fs.readFileSync(path)).slice(7)}/data`), path);
  assert.ok(await createDirectoryStore({ root, repository: 'a' }).resolve('v'));
  const { uploads } = dirLayout(root, 'a');
  purgeScratch(uploads, Date.now() + 2 * 24 * 3600 * 1000);
  assert.deepEqual(fs.readdirSync(uploads), []);
});

test('docker-registry serves what we store, and we find what it stores', { skip: noRegistry }, async (t) => {
  const root = tempDir(t);
  const local = createDirectoryStore({ root, repository: 'a/b' });
  const descriptor = await putImage(local, 'v1');
  const registry = await startRegistry(root);
  const client = createRegistryClient();
  t.after(async () => {
    await client.close();
    await registry.stop();
  });
  const remote = createRemoteStore({ client, registry: registry.host, repository: 'a/b' });
  assert.deepEqual((await remote.resolve('v1'))?.descriptor, descriptor);
  assert.equal(await remote.put(bytesSource(CONTENT)), 'stored');
  assert.equal(await local.has(DIGEST), CONTENT.length);
  const pushed = await putImage(remote, 'v2', 'arm64');
  assert.deepEqual((await local.resolve('v2'))?.descriptor, pushed);
  const elsewhere = createRemoteStore({ client, registry: registry.host, repository: 'c' });
  assert.equal(
    await copyBlob(
      remote,
      elsewhere,
      { mediaType: '', digest: DIGEST, size: CONTENT.length },
      { mountFrom: 'a/b' },
    ),
    'mounted',
  );
  await assert.rejects(
    createRemoteStore({ client, registry: registry.host, repository: 'c' }).put({
      ...bytesSource(Buffer.from('x')),
      digest: digestOf('y'),
    }),
    coded('CORRUPT'),
  );
});

test('skopeo copies from the served directory', { skip: noRegistry || noSkopeo }, async (t) => {
  const dir = tempDir(t);
  const root = join(dir, 'root');
  await putImage(createDirectoryStore({ root, repository: 'a/b' }), 'v1');
  const registry = await startRegistry(root);
  t.after(registry.stop);
  await run('skopeo', [
    'copy',
    '--src-tls-verify=false',
    `docker://${registry.host}/a/b:v1`,
    `dir:${dir}/out`,
  ]);
  assert.equal(JSON.parse(fs.readFileSync(join(dir, 'out/manifest.json'), 'utf8')).layers.length, 1);
});
