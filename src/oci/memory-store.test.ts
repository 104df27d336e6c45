import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { AppError, type ErrorCode } from '../core/error.ts';
import { bytesSource } from './blob-source.ts';
import { MEDIA_TYPES } from './media-types.ts';
import { createMemoryStore } from './memory-store.ts';
import { collect } from './testing/fake-registry.ts';

const CONTENT = Buffer.from('the content of a blob');
const DIGEST = digestOf(CONTENT);
const coded = (code: ErrorCode) => (error: unknown) => error instanceof AppError && error.code === code;

test('a blob goes in once and comes out whole or in part', async () => {
  const store = createMemoryStore();
  assert.equal(await store.has(DIGEST), undefined);
  assert.equal(await store.put(bytesSource(CONTENT)), 'stored');
  assert.equal(await store.put(bytesSource(CONTENT)), 'exists');
  assert.equal(await store.has(DIGEST), CONTENT.length);
  assert.deepEqual(await collect(await store.get(DIGEST)), CONTENT);
  assert.equal(String(await collect(await store.get(DIGEST, { offset: 4, length: 7 }))), 'content');
  assert.equal(String(await collect(await store.get(DIGEST, { offset: 17 }))), 'blob');
  const into = new Uint8Array(8);
  assert.equal(await store.readInto!(DIGEST, 17, into), 4);
  await assert.rejects(store.get(digestOf('none')), coded('REFERENCE'));
});

test('bytes that are not what their digest says are not stored', async () => {
  const store = createMemoryStore();
  await assert.rejects(store.put({ ...bytesSource(CONTENT), digest: digestOf('other') }), coded('CORRUPT'));
  await assert.rejects(store.put({ ...bytesSource(CONTENT), size: 3 }), coded('CORRUPT'));
  assert.equal(await store.has(digestOf('other')), undefined);
});

test('a manifest is found by its digest and by its newest tag', async () => {
  const store = createMemoryStore();
  const first = await store.tag(Buffer.from('{"a":1}'), MEDIA_TYPES.ociManifest, 'latest');
  const second = await store.tag(Buffer.from('{"a":2}'), MEDIA_TYPES.ociManifest, 'latest');
  assert.deepEqual((await store.resolve('latest'))?.descriptor, second);
  assert.equal(String((await store.resolve(first.digest))?.bytes), '{"a":1}');
  assert.equal(await store.resolve('none'), undefined);
  await assert.rejects(store.tag(Buffer.from('{}'), MEDIA_TYPES.ociManifest, '../x'), coded('REFERENCE'));
});
