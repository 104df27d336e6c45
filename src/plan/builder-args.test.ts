import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf } from './testing.ts';
import type { RunOperation } from './types.ts';

const DOCKERFILE = 'FROM a\nRUN --mount=type=cache,id=x,target=/x --mount=type=cache,target=/y make\n';

async function runOf(buildArgs: Readonly<Record<string, string>>) {
  const { stages, warnings } = await planOf({ dockerfile: DOCKERFILE, buildArgs });
  const [step] = stages.get(0)!.steps;
  const { mounts, hostname } = step!.operation as RunOperation;
  return { key: step!.key, ids: mounts.map(({ spec }) => spec.id), hostname, warnings };
}

test('BUILDKIT_CACHE_MOUNT_NS keeps caches apart, and an empty one does nothing', async () => {
  const plain = await runOf({});
  const one = await runOf({ BUILDKIT_CACHE_MOUNT_NS: 'one' });
  assert.deepEqual(one.ids, ['one/x', 'one//y']);
  assert.notEqual(one.key, plain.key);
  assert.notEqual((await runOf({ BUILDKIT_CACHE_MOUNT_NS: 'two' })).key, one.key);
  assert.deepEqual(await runOf({ BUILDKIT_CACHE_MOUNT_NS: '' }), plain);
});

test('BUILDKIT_SANDBOX_HOSTNAME is a part of what a RUN depends on', async () => {
  const plain = await runOf({});
  const named = await runOf({ BUILDKIT_SANDBOX_HOSTNAME: 'me' });
  assert.deepEqual([plain.hostname, named.hostname], [undefined, 'me']);
  assert.notEqual(named.key, plain.key);
  assert.deepEqual(await runOf({ BUILDKIT_SANDBOX_HOSTNAME: '' }), plain);
});

test('arguments for the builder need no ARG, and any other one does', async () => {
  const { warnings, key } = await runOf({ BUILDKIT_INLINE_CACHE: '1', SOURCE_DATE_EPOCH: '5', OTHER: '1' });
  assert.deepEqual(
    warnings.map(({ rule, text }) => [rule, text]),
    [['UnusedBuildArg', 'build arguments that no ARG declares: OTHER']],
  );
  assert.equal(key, (await runOf({})).key);
});
