import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Event } from '../core/events.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { lookupRecord, lookupRecords } from './lookup.ts';
import { encodeRecord } from './record.ts';
import { recordBytes, type SigningKey } from './signature.ts';
import { fakeKey, fakeRecord, fakeStore } from './testing.ts';
import { createTrust, type TrustSettings } from './trust.ts';
import type { CacheRecord } from './types.ts';
import { readUrlNote, storeUrlNote } from './url-note.ts';

const [mine, other] = [fakeKey(), fakeKey()];
const signal = new AbortController().signal;
const signed = (record: CacheRecord, by: SigningKey): CacheRecord => ({
  ...record,
  signatures: by.sign(recordBytes(record)),
});

async function put(store: Store, record: CacheRecord, tag = record.key): Promise<void> {
  const { manifest } = encodeRecord(record);
  await store.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(tag));
}

function setUp(settings: TrustSettings | undefined, stores: readonly Store[] = [fakeStore('one')]) {
  const events: Event[] = [];
  const emit = (event: Event) => void events.push(event);
  const trust = createTrust(settings, { emit });
  const options = { stores, trust, ttlMs: Number.POSITIVE_INFINITY, now: Date.now(), emit, signal };
  const warnings = () => events.flatMap((event) => (event.type === 'warning' ? [event] : []));
  return { store: stores[0]!, trust, options, events, warnings };
}

const key = digestOf('a key');
const record = fakeRecord(key, ['a', 'b']);

test('without settings every record counts, whoever signed it, and nothing is signed', async () => {
  const { store, trust, options } = setUp(undefined);
  await put(store, record);
  assert.deepEqual(await lookupRecord(key, options), record);
  await put(store, signed(record, other));
  assert.deepEqual(await lookupRecord(key, options), signed(record, other));
  assert.equal(trust.sign(record).signatures, undefined);
  assert.ok(trust.mayReplace(key));
});

test('with trusted keys only what one of them signed counts', async () => {
  const { store, trust, options, warnings } = setUp({ trustedKeys: [mine.publicKey] });
  await put(store, signed(record, mine));
  assert.deepEqual(await lookupRecord(key, options), signed(record, mine));
  const both = { ...other.sign(recordBytes(record)), ...mine.sign(recordBytes(record)) };
  await put(store, { ...record, signatures: both });
  assert.ok(await lookupRecord(key, options));
  assert.deepEqual(warnings(), []);
  assert.ok(trust.mayReplace(key));
});

const untrusted: Readonly<Record<string, readonly [CacheRecord, RegExp]>> = {
  'is not signed': [record, /it is not signed$/],
  'is signed by another key': [
    signed(record, other),
    new RegExp(`signed by the key ${other.id}, which is not`),
  ],
  'was changed after it was signed': [
    { ...signed(record, mine), chain: fakeRecord(key, ['x', 'b']).chain },
    new RegExp(`the signature of the key ${mine.id} is not one of this record`),
  ],
  'has the signature of another record': [
    { ...record, signatures: mine.sign(recordBytes(fakeRecord(key, ['x', 'b']))) },
    /is not one of this record/,
  ],
  'was signed under another key of the cache': [
    { ...signed(fakeRecord(digestOf('other'), ['a', 'b']), mine), key },
    /is not one of this record/,
  ],
  'has another signature under our name': [
    { ...record, signatures: { [mine.id]: other.sign(recordBytes(record))[other.id]! } },
    /is not one of this record/,
  ],
};

for (const [what, [stored, reason]] of Object.entries(untrusted)) {
  test(`a record that ${what} is a miss with a warning that names it, and is not replaced without a signature`, async () => {
    const { store, trust, options, warnings } = setUp({ trustedKeys: [mine.publicKey] });
    await put(store, stored);
    assert.equal(await lookupRecord(key, options), undefined);
    assert.equal((await lookupRecords([key], options)).size, 0);
    const [{ code, text, hint } = assert.fail(), ...more] = warnings();
    assert.equal(code, 'UNTRUSTED');
    assert.match(text, new RegExp(`^the cache record ${hexOf(key).slice(0, 12)} in one counts as missing: `));
    assert.match(text, reason);
    assert.match(hint ?? '', /./);
    assert.deepEqual(more, []);
    assert.ok(!trust.mayReplace(key) && trust.mayReplace(digestOf('another')));
    const signing = setUp({ signingKey: mine, trustedKeys: [] }, [store]);
    assert.equal(await lookupRecord(key, signing.options), undefined);
    assert.ok(signing.trust.mayReplace(key));
  });
}

test('who signs trusts its own key and signs what it stores', async () => {
  const { store, trust, options } = setUp({ signingKey: mine, trustedKeys: [] });
  await put(store, trust.sign(record));
  assert.deepEqual(await lookupRecord(key, options), signed(record, mine));
});

test('a record of many that are refused for one reason is one warning', async () => {
  const { store, options, events, warnings } = setUp({ trustedKeys: [mine.publicKey] });
  const keys = Array.from({ length: 5 }, (_, i) => digestOf(`key ${i}`));
  for (const one of keys) await put(store, fakeRecord(one, ['a']));
  await put(store, signed(fakeRecord(keys[4]!, ['a']), other));
  assert.equal((await lookupRecords(keys, options)).size, 0);
  assert.equal(warnings().length, 2);
  assert.equal(events.filter(({ type }) => type === 'message').length, 3);
});

test('an expired record is a miss without any warning, signed or not', async () => {
  const { store, options, warnings } = setUp({ trustedKeys: [mine.publicKey] });
  await put(store, record);
  assert.equal(await lookupRecord(key, { ...options, ttlMs: 1000 }), undefined);
  assert.deepEqual(warnings(), []);
});

test('of several repositories the first whose record counts is taken, and one that is down is passed over', async () => {
  const [first, second] = [fakeStore('first'), fakeStore('second')];
  const { options, warnings } = setUp({ trustedKeys: [mine.publicKey] }, [first, second]);
  const [ours, theirs] = [signed(record, mine), signed(fakeRecord(key, ['c', 'd']), mine)];
  const ask = async () => {
    const one = await lookupRecord(key, options);
    assert.deepEqual((await lookupRecords([key], options)).get(key), one);
    return one;
  };
  await put(second, theirs);
  assert.deepEqual(await ask(), theirs);
  await put(first, record);
  assert.deepEqual(await ask(), theirs);
  await put(first, ours);
  assert.deepEqual(await ask(), ours);
  first.broken = true;
  assert.deepEqual(await ask(), theirs);
  assert.deepEqual(
    warnings().map(({ code }) => code),
    ['UNTRUSTED', 'REGISTRY'],
  );
  second.broken = true;
  await assert.rejects(lookupRecord(key, options), { code: 'REGISTRY' });
  assert.equal((await lookupRecords([key, digestOf('other')], options)).size, 0);
});

test('a note of a URL counts only with a signature over its tag and its text', async () => {
  const store = fakeStore('notes');
  const note = { etag: '"1"', digest: digestOf('content') };
  const deps = (settings?: TrustSettings) => ({ salt: undefined, signal, trust: setUp(settings).trust });
  const [open, strict] = [deps(), deps({ signingKey: mine, trustedKeys: [] })];
  const url = 'http://example.com/a';
  await storeUrlNote(store, url, note, open);
  assert.deepEqual(await readUrlNote(store, url, open), note);
  assert.equal(await readUrlNote(store, url, strict), undefined);
  await storeUrlNote(store, url, note, strict);
  assert.deepEqual(await readUrlNote(store, url, strict), note);
  assert.equal(await readUrlNote(store, url, deps({ trustedKeys: [other.publicKey] })), undefined);

  const [tag = ''] = store.tags();
  const moved: Store = { ...store, resolve: async () => store.resolve(tag) };
  assert.deepEqual(await readUrlNote(moved, 'http://example.com/b', open), note);
  assert.equal(await readUrlNote(moved, 'http://example.com/b', strict), undefined);

  const bytes = (await store.resolve(tag))!.bytes.toString().replace(note.digest, digestOf('changed'));
  await store.tag(Buffer.from(bytes), MEDIA_TYPES.ociManifest, tag);
  assert.equal((await readUrlNote(store, url, open))?.digest, digestOf('changed'));
  assert.equal(await readUrlNote(store, url, strict), undefined);
});
