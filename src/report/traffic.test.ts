import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { createTraffic } from './traffic.ts';

const transfer = (direction: 'pull' | 'push', bytes: number, expected?: number): Event => ({
  type: 'transfer',
  direction,
  digest: `sha256:${'a'.repeat(64)}`,
  bytes,
  ...(expected === undefined ? {} : { expected }),
});

function clock() {
  let time = 0;
  const traffic = createTraffic(() => time);
  const at = (ms: number, ...events: readonly Event[]): readonly string[] => {
    time = ms;
    for (const event of events) traffic.take(event);
    return traffic.lines();
  };
  return at;
}

test('blobs of one direction are one line with rate and remaining time, which ends with them', () => {
  const at = clock();
  assert.deepEqual(at(0, transfer('push', 0, 30e6), transfer('push', 0, 10e6)), ['uploads: 0 B of 40 MB']);
  assert.deepEqual(at(500, transfer('push', 5e6)), ['uploads: 5.0 MB of 40 MB']);
  assert.deepEqual(at(2000, transfer('push', 5e6), transfer('pull', 1e6, 2e6)), [
    'uploads: 10 MB of 40 MB, 5.0 MB/s, 6 s left',
    'downloads: 1.0 MB of 2.0 MB',
  ]);
  assert.deepEqual(at(3000, transfer('pull', 1e6)), ['uploads: 10 MB of 40 MB, 3.3 MB/s, 9 s left']);
  // One of them is given up.
  assert.deepEqual(at(4000, transfer('push', 0, -10e6)), ['uploads: 10 MB of 30 MB, 2.5 MB/s, 8 s left']);
  assert.deepEqual(at(5000, transfer('push', 20e6)), []);
  // The next ones are counted by themselves.
  assert.deepEqual(at(6000, transfer('push', 0, 1e6)), ['uploads: 0 B of 1.0 MB']);
});

test('what does not move says so, and is forgotten', () => {
  const at = clock();
  at(0, transfer('pull', 1e6, 9e6));
  assert.deepEqual(at(7000), ['downloads: 1.0 MB of 9.0 MB, 0 B/s']);
  assert.deepEqual(at(40_000), []);
});

test('other things have rates as well', () => {
  const at = clock();
  const extract = (done: number): Event => ({ type: 'progress', what: 'extract', done, total: 100e6 });
  assert.deepEqual(at(0, extract(10e6)), ['extract: 10 MB of 100 MB']);
  assert.deepEqual(at(2000, extract(30e6)), ['extract: 30 MB of 100 MB, 10 MB/s, 7 s left']);
  const objects: Event = { type: 'progress', what: 'git: objects', done: 10, total: 1200, unit: 'objects' };
  assert.deepEqual(at(3000, extract(100e6), objects), ['git: objects: 10 of 1200']);
});
