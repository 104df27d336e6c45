import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { EMPTY_LAYER, EMPTY_LAYER_BYTES } from './empty-layer.ts';
import { decodeRecord, detachedConfig, encodeRecord } from './record.ts';
import { fakeRecord } from './testing.ts';

const key = digestOf('a key');

test('a record survives the round trip, under its key and under its content key', () => {
  const record = fakeRecord(key, ['a', '', 'b'], { sources: { [digestOf('s')]: digestOf('chain') } });
  const { manifest } = encodeRecord(record);
  assert.deepEqual(decodeRecord(manifest, key), record);
  assert.deepEqual(decodeRecord(manifest, record.contentKey!), record);
});

test('the other forms keep all in the config', () => {
  const record = fakeRecord(key, ['a', '', 'b'], { sources: { [digestOf('s')]: digestOf('chain') } });
  for (const form of ['lean', 'opaque'] as const) {
    const { manifest, config } = encodeRecord(record, form);
    assert.ok(manifest.length < 1000, `${manifest.length}`);
    assert.ok(!manifest.includes('"data"'));
    assert.equal(manifest.includes('image.layer'), form === 'lean');
    assert.deepEqual(detachedConfig(manifest), { digest: digestOf(config), size: config.length });
    assert.deepEqual(decodeRecord(manifest, key, config), record);
    assert.throws(() => decodeRecord(manifest, key), { code: 'CORRUPT', message: /config is missing/ });
    assert.throws(() => decodeRecord(manifest, key, Buffer.from('{}')), { code: 'CORRUPT' });
  }
  assert.equal(detachedConfig(encodeRecord(record).manifest), undefined);
  assert.equal(detachedConfig(Buffer.from('no')), undefined);
});

test('a step that changed nothing has the standard empty layer', () => {
  const record = fakeRecord(key, ['a', '']);
  const { manifest, config } = encodeRecord(record);
  const parsed = JSON.parse(manifest.toString());
  assert.equal(parsed.layers[0].digest, EMPTY_LAYER.digest);
  assert.equal(EMPTY_LAYER.digest, 'sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4');
  assert.deepEqual(gunzipSync(EMPTY_LAYER_BYTES), Buffer.alloc(1024));
  assert.deepEqual(JSON.parse(config.toString()).rootfs.diff_ids, [EMPTY_LAYER.diffId]);
  assert.deepEqual(decodeRecord(manifest, key), record);
});

test('a record is an image of one layer whose config it embeds', () => {
  const { manifest, config } = encodeRecord(fakeRecord(key, ['a', 'b']));
  const parsed = JSON.parse(manifest.toString());
  assert.equal(parsed.layers.length, 1);
  assert.equal(parsed.config.digest, digestOf(config));
  assert.equal(parsed.config.size, config.length);
  assert.deepEqual(Buffer.from(parsed.config.data, 'base64'), config);
});

test('thirty layers fit into 12 KB', () => {
  const names = Array.from({ length: 30 }, (_, i) => `layer ${i}`);
  assert.ok(encodeRecord(fakeRecord(key, names)).manifest.length < 12_000);
});

test('a record of another key is refused', () => {
  const { manifest } = encodeRecord(fakeRecord(key, ['a']));
  assert.throws(() => decodeRecord(manifest, digestOf('other')), { code: 'CORRUPT', message: /another key/ });
});

test('whatever is done to the bytes, decoding gives the record or CORRUPT, never anything else', () => {
  const record = fakeRecord(key, ['a', '', 'b']);
  const { manifest } = encodeRecord(record);
  fc.assert(
    fc.property(
      fc.nat(manifest.length - 1),
      fc.integer({ min: 0, max: 255 }),
      fc.boolean(),
      (at, byte, cut) => {
        const bytes = Buffer.from(cut ? manifest.subarray(0, at) : manifest);
        if (!cut) bytes[at] = byte;
        try {
          decodeRecord(bytes, key);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'CORRUPT');
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('a chain that does not fit its steps or its own layer is refused', () => {
  const { manifest } = encodeRecord(fakeRecord(key, ['a', 'b']));
  const change = (
    edit: (manifest: { layers: { digest: string }[]; annotations: Record<string, string> }) => void,
  ) => {
    const parsed = JSON.parse(manifest.toString());
    edit(parsed);
    return Buffer.from(JSON.stringify(parsed));
  };
  const wrong = [
    change((m) => {
      m.annotations['dev.envbuilder.made'] = '111';
    }),
    change((m) => {
      m.layers[0]!.digest = digestOf('other');
    }),
    change((m) => {
      m.annotations['dev.envbuilder.schema'] = '2';
    }),
    change((m) => {
      delete m.annotations['dev.envbuilder.created'];
    }),
  ];
  for (const bytes of wrong) assert.throws(() => decodeRecord(bytes, key), { code: 'CORRUPT' });
});
