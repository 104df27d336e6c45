import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapLimit, once } from './concurrency.ts';
import { digestOf, hexOf, isDigest, parseDigest } from './digest.ts';
import { AppError, toAppError } from './error.ts';
import { retry } from './retry.ts';
import { formatBytes, formatDuration } from './units.ts';

test('a digest is sha256 and 64 lower-case hex digits', () => {
  const digest = digestOf('');
  assert.equal(digest, 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  assert.equal(hexOf(digest).length, 64);
  assert.ok(!isDigest(digest.toUpperCase()));
  assert.throws(() => parseDigest('sha256:12', 'the layer'), { code: 'CORRUPT', message: /the layer/ });
});

test('retry gives up after its attempts, and at once for a final error', async () => {
  const policy = { attempts: 3, baseDelayMs: 1, maxDelayMs: 2 };
  let calls = 0;
  const fail = async (): Promise<never> => {
    calls += 1;
    throw new Error(`try ${calls}`);
  };
  await assert.rejects(retry(policy, { delayFor: (_, ms) => ms }, fail), /try 3/);
  calls = 0;
  await assert.rejects(retry(policy, { delayFor: () => undefined }, fail), /try 1/);
});

test('mapLimit keeps the order, the limit, and starts nothing after a failure', async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapLimit([1, 2, 3, 4, 5], 2, async (n) => {
    running += 1;
    most = Math.max(most, running);
    // Wait: later ones take less time, whatever the clock does.
    await new Promise((resolve) => setTimeout(resolve, 5 - n));
    running -= 1;
    return n * 2;
  });
  assert.deepEqual(doubled, [2, 4, 6, 8, 10]);
  assert.equal(most, 2);
  let started = 0;
  await assert.rejects(
    mapLimit([1, 2, 3, 4], 1, async () => {
      started += 1;
      throw new Error('stop');
    }),
  );
  assert.equal(started, 1);
});

test('once computes once', () => {
  let calls = 0;
  const value = once(() => ++calls);
  assert.deepEqual([value(), value()], [1, 1]);
});

test('a full disk is recognised wherever it happens', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  const error = toAppError(full, 'OUTPUT', 'cannot write x');
  assert.equal(error.code, 'DISK_FULL');
  assert.ok(error.hint);
  const known = new AppError('AUTH', 'no');
  assert.equal(toAppError(known, 'OUTPUT', 'x'), known);
});

test('units read well at their edges', () => {
  assert.deepEqual([0, 999, 1000, 9_960_000, 123_456_789].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '10 MB',
    '123 MB',
  ]);
  assert.deepEqual([340, 2400, 192_000].map(formatDuration), ['340 ms', '2.4 s', '3 min 12 s']);
});
