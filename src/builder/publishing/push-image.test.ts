import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { until } from '../../core/testing.ts';
import { createCompressPool } from '../../layer/compress-pool.ts';
import { addTree, listTree } from '../../layer/fixed-tree.ts';
import { createLayerWriter } from '../../layer/layer-writer.ts';
import { createRemoteStore } from '../../oci/remote-store.ts';
import { type Fault, fail } from '../../oci/testing/fake-registry.ts';
import { openFakeStore } from '../../oci/testing/fake-store.ts';
import type { Reference } from '../../oci/types.ts';
import type { Plan } from '../../plan/types.ts';
import type { PushableImage } from '../made-image.ts';
import type { Session } from '../session.ts';
import type { BuildRequest } from '../types.ts';
import { startPush } from './push-image.ts';
import type { RuntimeSpec } from './runtime.ts';

const PLAN = {
  target: 0,
  stages: new Map([[0, { base: { type: 'scratch' }, config: {} }]]),
} as unknown as Plan;
const FILE = randomBytes(5_000_000);

async function runtimeIn(dir: string): Promise<RuntimeSpec> {
  mkdirSync(dir);
  writeFileSync(join(dir, 'tool'), FILE);
  const files = listTree(dir);
  const writer = createLayerWriter({ compression: 'zstd', sink: () => {} });
  await addTree(writer.add, dir, '.envbuilder', files);
  const { mediaType, digest, size, diffId } = await writer.finish();
  return {
    dir,
    layers: [
      { name: 'tools', files, layer: { mediaType, digest, size, diffId }, description: Buffer.from('{}') },
    ],
  };
}

/** The cache is the repository a/b, and `c/d:1` a tag in the same registry. */
async function setUp(
  t: TestContext,
  {
    tags = [],
    cacheTags = [],
    faults = [],
  }: { tags?: string[]; cacheTags?: string[]; faults?: Fault[] } = {},
) {
  const { registry, repository, store } = await openFakeStore(t);
  registry.faults.push(...faults);
  const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-push-'));
  const workDir = join(scratch, 'work');
  mkdirSync(workDir);
  const pool = createCompressPool();
  const runtime = await runtimeIn(join(scratch, 'own'));
  t.after(async () => {
    await pool.close();
    rmSync(scratch, { recursive: true });
  });
  const session = {
    ownStore: store,
    sameRegistry: (from: unknown, to: unknown) => (from === to ? undefined : 'a/b'),
    openRepository: (reference: Reference) =>
      createRemoteStore({ ...repository, repository: reference.repository }),
    workDir: () => workDir,
    pool: () => pool,
  } as unknown as Session;
  const names = tags.map((tag) => `${registry.host}/${tag}`);
  const request = { tags: names, cacheTags, runtime } as unknown as BuildRequest;
  const push = await startPush(request, session, PLAN, t.signal);
  const { digest } = runtime.layers[0]!.layer;
  const layers = push.runtime!.layers.map(({ layer }) => layer);
  const image = { manifest: Buffer.from('{}'), config: Buffer.from('{"a":1}'), layers, baseLayers: [] };
  const finish = () =>
    push.finish(
      {
        images: [{ image: { ...image, runtime: push.runtime } } as unknown as PushableImage],
        index: undefined,
        attestations: [],
      },
      t.signal,
    );
  const sent = (method: string) => registry.seen.filter((one) => one.method === method);
  const made = () => readdirSync(workDir).map((name) => statSync(join(workDir, name)).size);
  return { registry, push, digest, finish, sent, runtime, made };
}

test('the runtime is there before the image, and is sent once', async (t) => {
  const { registry, push, digest, finish, sent, made } = await setUp(t, { tags: ['c/d:1'] });
  await until('it is so', () => registry.blobs.has(digest));
  assert.equal(registry.manifests.size, 0);
  await finish();
  assert.equal(made().length, 1);
  const bodies = sent('PUT').filter(({ query }) => query.get('digest') === digest);
  assert.equal(bodies.length, 1);
  const [mount] = sent('POST').filter(({ query }) => query.get('mount') === digest);
  assert.equal(mount?.query.get('from') ?? 'a/b', 'a/b');
  const names = sent('PUT').map(({ path }) => path);
  assert.ok(names.some((path) => /^\/v2\/a\/b\/manifests\/image-/.test(path)));
  assert.ok(names.includes('/v2/c/d/manifests/1'));
  await push.stop();
});

test('what failed before is tried again with the image', async (t) => {
  const { registry, push, digest, finish, sent } = await setUp(t);
  let refused = 0;
  registry.faults.push((seen, response, request) => {
    if (seen.query.get('digest') !== digest || refused > 0) return false;
    refused += 1;
    request.resume().on('end', () => fail(response, 403, 'DENIED'));
    return true;
  });
  await until('it is so', () => refused === 1);
  await finish();
  assert.ok(registry.blobs.has(digest));
  assert.equal(sent('PUT').filter(({ path }) => path.includes('/manifests/')).length, 1);
  await push.stop();
});

test('what fails again fails the push, and nothing is named', async (t) => {
  const { registry, push, finish, sent } = await setUp(t);
  registry.faults.push((seen, response, request) => {
    if (seen.method !== 'PUT') return false;
    request.resume().on('end', () => fail(response, 403, 'DENIED'));
    return true;
  });
  await assert.rejects(finish(), { code: 'AUTH' });
  await push.stop();
  assert.equal(sent('PUT').filter(({ path }) => path.includes('/manifests/')).length, 0);
});

test('a push that is stopped ends, however far it is', async (t) => {
  const { registry, push, digest, sent, made, runtime } = await setUp(t);
  registry.faults.push((seen) => seen.method === 'PUT');
  await until('it is so', () => sent('PUT').length > 0);
  await push.stop();
  await push.stop();
  assert.ok(!registry.blobs.has(digest));
  const { size } = runtime.layers[0]!.layer;
  assert.ok(
    made().every((length) => length === size),
    'a file that is not whole is gone',
  );
});

test('files that have changed are never stored, nor an image that names them', async (t) => {
  const { registry, push, digest, finish, sent, runtime } = await setUp(t);
  // The push has begun, and nothing of the file was read yet.
  writeFileSync(join(runtime.dir, 'tool'), randomBytes(FILE.length));
  await assert.rejects(finish(), { code: 'PUSH_FAILED' });
  assert.ok(!registry.blobs.has(digest));
  assert.equal(sent('PUT').filter(({ path }) => path.includes('/manifests/')).length, 0);
  await push.stop();
});

test('a tag that cannot be meant fails the push behind the others', async (t) => {
  const { registry, push, digest, finish } = await setUp(t, { tags: ['c/d:1', 'C D'] });
  await assert.rejects(finish(), { code: 'REFERENCE' });
  assert.ok(registry.blobs.has(digest));
  assert.ok(registry.manifests.has('1'));
  await push.stop();
});

test('nothing is made or sent of what the registry has', async (t) => {
  const { push, digest, finish, made, sent } = await setUp(t, {
    faults: [
      (seen, response) => {
        if (seen.method !== 'HEAD') return false;
        response.writeHead(200, { 'content-length': 1 }).end();
        return true;
      },
    ],
  });
  await finish();
  assert.deepEqual(made(), []);
  assert.ok(!sent('PUT').some(({ query }) => query.get('digest') === digest));
  assert.equal(sent('PUT').filter(({ path }) => path.includes('/manifests/')).length, 1);
  await push.stop();
});

test('further tags of the cache’s repository are moved when the image is there, and only where they mean another', async (t) => {
  const { registry, push, finish, sent } = await setUp(t, { cacheTags: ['latest'] });
  const puts = () =>
    sent('PUT').flatMap(({ path }) => /^\/v2\/a\/b\/manifests\/([a-z]+)/.exec(path)?.[1] ?? []);
  await finish();
  assert.deepEqual(puts(), ['image', 'latest']);
  await finish();
  assert.deepEqual(puts(), ['image', 'latest'], 'it means the image already');
  assert.equal(registry.manifests.size > 0, true);
  await push.stop();
});

test('a tag that may not be replaced fails the push, and the error says what is there', async (t) => {
  const { registry, push, finish } = await setUp(t, { cacheTags: ['latest'] });
  registry.faults.push((seen, response, request) => {
    if (seen.method !== 'PUT' || !seen.path.endsWith('/manifests/latest')) return false;
    request.resume().on('end', () => fail(response, 400, 'TAG_INVALID'));
    return true;
  });
  await assert.rejects(finish(), /the image is pushed as .*@sha256:[0-9a-f]{64}, but the tag latest is not/);
  await push.stop();
});
