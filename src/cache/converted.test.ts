import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../core/digest.ts';
import { bytesSource } from '../oci/blob-source.ts';
import { createMemoryStore } from '../oci/memory-store.ts';
import type { Store } from '../oci/types.ts';
import { type Converted, findConverted, storeConverted } from './converted.ts';

const LAYER = { digest: digestOf('a layer'), diffId: digestOf('its tar') };
const COPY = Buffer.from('the copy');
const converted: Converted = {
  diffId: LAYER.diffId,
  digest: digestOf(COPY),
  size: COPY.length,
  toc: { offset: 1, length: 2, digest: digestOf('a table') },
};

async function stored(): Promise<Store> {
  const store = createMemoryStore();
  await storeConverted(store, LAYER.digest, converted, bytesSource(COPY), undefined);
  return store;
}

test('the copy of a layer is found by its digest and that of its tar', async () => {
  const store = await stored();
  assert.deepEqual(await findConverted(store, LAYER), converted);
  assert.equal(await findConverted(store, { ...LAYER, digest: digestOf('another') }), undefined);
  assert.equal(await findConverted(store, { ...LAYER, diffId: digestOf('another') }), undefined);
});

test('a copy that is gone or has another size is none', async () => {
  for (const size of [undefined, COPY.length + 1]) {
    const store: Store = { ...(await stored()), has: async () => size };
    assert.equal(await findConverted(store, LAYER), undefined);
  }
});

test('whatever else lies under the tag is none', async () => {
  const note = (value: unknown): string =>
    JSON.stringify({ annotations: { 'dev.envbuilder.converted': JSON.stringify(value) } });
  const texts = [
    ...['', 'null', '[]', '{}', '{"annotations":null}', note(null), note({}), note([converted])],
    ...Object.keys(converted).map((name) => note({ ...converted, [name]: undefined })),
    ...[-1, 0.5, '1', null].map((offset) => note({ ...converted, toc: { ...converted.toc, offset } })),
    note({ ...converted, digest: 'sha256:../../../etc/passwd' }),
  ];
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const descriptor = { mediaType: '', digest: digestOf(bytes), size: bytes.length };
    const store: Store = { ...(await stored()), resolve: async () => ({ bytes, descriptor }) };
    assert.equal(await findConverted(store, LAYER), undefined, text);
  }
});
