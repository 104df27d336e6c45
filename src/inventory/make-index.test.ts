import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppError } from '../core/error.ts';
import { silent } from '../core/events.ts';
import { createMemoryStore } from '../oci/memory-store.ts';
import { putImage } from '../oci/testing/images.ts';
import type { Index, Store } from '../oci/types.ts';
import { type IndexDeps, type IndexOfImages, makeIndex } from './make-index.ts';

const signal = new AbortController().signal;

/** Repositories in memory, by name, and a clock that goes on when somebody waits. */
function repositories() {
  const stores = new Map<string, Store>();
  const repository = (name: string): Store => {
    const store = stores.get(name) ?? createMemoryStore(name);
    stores.set(name, store);
    return store;
  };
  let time = 0;
  const pauses: number[] = [];
  const deps = (onPause: () => unknown = () => {}): IndexDeps => ({
    open: ({ registry, repository: path }) => repository(`${registry}/${path}`),
    emit: silent,
    signal,
    now: () => time,
    sleep: async (ms) => {
      time += ms;
      pauses.push(ms);
      await onPause();
    },
  });
  return { repository, deps, pauses, time: () => time };
}

const request = (images: readonly string[], tags: readonly string[], waitMs = 0): IndexOfImages => ({
  images: images.map((name) => `r.example/${name}`),
  tags: tags.map((name) => `r.example/${name}`),
  waitMs,
});

async function indexIn(store: Store, name: string): Promise<Index> {
  const raw = await store.resolve(name, signal);
  return JSON.parse(String(raw?.bytes)) as Index;
}

test('an index names its images by platform, the same for the same images', async () => {
  const { repository, deps } = repositories();
  const cache = repository('r.example/cache');
  const [amd, arm] = [await putImage(cache, 'a', 'amd64'), await putImage(cache, 'b', 'aarch64')];
  const digest = await makeIndex(request(['cache:a', 'cache:b'], ['cache:both', 'cache']), deps());
  for (const tag of [digest, 'both', 'latest'])
    assert.deepEqual(
      (await indexIn(cache, tag)).manifests.map((one) => [one.digest, one.platform]),
      [
        [amd.digest, { os: 'linux', architecture: 'amd64' }],
        [arm.digest, { os: 'linux', architecture: 'arm64' }],
      ],
    );
  assert.equal(await makeIndex(request([`cache@${amd.digest}`, 'cache:b'], ['cache:both']), deps()), digest);
  // An index counts as its images, each of them once.
  assert.equal(await makeIndex(request(['cache:both', 'cache:b'], ['cache:again']), deps()), digest);
});

test('a name that stands for the index already is not written again', async () => {
  const { repository, deps } = repositories();
  const cache = repository('r.example/cache');
  await putImage(cache, 'a');
  const made = await makeIndex(request(['cache:a'], ['cache:i']), deps());
  const immutable: Store = { ...cache, tag: () => assert.fail('it is there') };
  assert.equal(
    await makeIndex(request(['cache:a'], ['cache:i']), { ...deps(), open: () => immutable }),
    made,
  );
});

test('what another repository lacks is copied, layers first', async () => {
  const { repository, deps } = repositories();
  const [from, to] = [repository('r.example/cache'), repository('r.example/images/app')];
  const amd = await putImage(from, 'a', 'amd64');
  const arm = await putImage(from, 'b', 'arm64');
  await makeIndex(request(['cache:a', 'cache:b'], ['cache:both']), deps());
  await makeIndex(request(['cache:both'], ['images/app:1']), deps());
  for (const { digest } of [amd, arm]) {
    const raw = await to.resolve(digest, signal);
    const { config, layers } = JSON.parse(String(raw?.bytes));
    for (const blob of [config, ...layers]) assert.equal(await to.has(blob.digest, signal), blob.size);
  }
  assert.equal((await indexIn(to, '1')).manifests.length, 2);
});

test('it waits for images that are not there yet, and says which are not', async () => {
  const { repository, deps, pauses, time } = repositories();
  const cache = repository('r.example/cache');
  await putImage(cache, 'a', 'amd64');
  const both = request(['cache:a', 'cache:b'], ['cache:both'], 60_000);
  await assert.rejects(makeIndex(both, deps()), (error: AppError) => {
    assert.equal(error.code, 'REFERENCE');
    assert.match(error.message, /r\.example\/cache:b/);
    assert.doesNotMatch(error.message, /cache:a/);
    assert.match(error.hint ?? '', /--wait/);
    return true;
  });
  assert.equal(time(), 60_000);
  assert.deepEqual(pauses.slice(0, 5), [1000, 2000, 4000, 8000, 15_000]);
  assert.equal(await cache.resolve('both', signal), undefined, 'nothing is named');
  await makeIndex(
    both,
    deps(() => putImage(cache, 'b', 'arm64')),
  );
  assert.equal((await indexIn(cache, 'both')).manifests.length, 2);
  await assert.rejects(makeIndex(request(['cache:c'], ['cache:i']), deps()), /there is no image/);
});

test('two images of one platform are refused, however they write it', async () => {
  const { repository, deps } = repositories();
  const cache = repository('r.example/cache');
  await putImage(cache, 'a', 'arm64');
  await putImage(cache, 'b', 'aarch64', 'other');
  await assert.rejects(makeIndex(request(['cache:a', 'cache:b'], ['cache:i']), deps()), {
    code: 'USAGE',
    message: 'two of the images are for linux/arm64',
  });
});
