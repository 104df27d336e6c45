import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Event } from '../core/events.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { ageTag, storeAge } from './age.ts';
import { lookupRecord, lookupRecords } from './lookup.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { recordBytes } from './signature.ts';
import { fakeKey, fakeRecord, fakeStore } from './testing.ts';
import { createTrust, type TrustSettings } from './trust.ts';
import type { CacheRecord } from './types.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-03-10T00:00:00Z');
const [mine, other] = [fakeKey(), fakeKey()];
const key = digestOf('a key');
const daysAgo = (days: number, names: readonly string[] = ['a', 'b']): CacheRecord => ({
  ...fakeRecord(key, names, { created: `${new Date(NOW - days * DAY_MS).toISOString().slice(0, 19)}Z` }),
  undated: true,
});

test('records without a date have the same bytes and signatures whenever they were made', () => {
  for (const form of ['full', 'lean', 'opaque'] as const) {
    const [one, two] = [encodeRecord(daysAgo(1), form), encodeRecord(daysAgo(1000), form)];
    assert.deepEqual(one, two);
    const read = decodeRecord(one.manifest, key, form === 'full' ? undefined : one.config);
    assert.deepEqual(read, { ...daysAgo(1), created: '1970-01-01T00:00:00Z' });
    assert.deepEqual(recordBytes(read), recordBytes(daysAgo(1)));
  }
  const dated = encodeRecord({ ...fakeRecord(key, ['a', 'b']) });
  assert.notDeepEqual(dated, encodeRecord(daysAgo(1)));
});

interface Case {
  readonly what: string;
  readonly record: CacheRecord;
  readonly trust?: TrustSettings;
  /** What the note is on, and who signs it; there is no note where it is left out. */
  readonly note?: CacheRecord;
  readonly signer?: TrustSettings;
  /** Days that the record is old; undefined for a miss. */
  readonly age: number | undefined;
}

const strict: TrustSettings = { signingKey: mine, trustedKeys: [] };
const CASES: readonly Case[] = [
  { what: 'young', record: daysAgo(0), note: daysAgo(3), age: 3 },
  { what: 'too old', record: daysAgo(0), note: daysAgo(8), age: undefined },
  { what: 'without a note', record: daysAgo(0), age: undefined },
  { what: 'with the note of another record', record: daysAgo(0), note: daysAgo(1, ['x']), age: undefined },
  {
    what: 'with a note that no trusted key signed',
    record: daysAgo(0),
    note: daysAgo(3),
    trust: strict,
    age: undefined,
  },
  {
    what: 'with a note that another key signed',
    record: daysAgo(0),
    note: daysAgo(3),
    trust: strict,
    signer: { signingKey: other, trustedKeys: [] },
    age: undefined,
  },
  {
    what: 'with a note that a trusted key signed',
    record: daysAgo(0),
    note: daysAgo(3),
    trust: strict,
    signer: strict,
    age: 3,
  },
];

for (const { what, record, trust: settings, note, signer, age } of CASES) {
  test(`the age of a record without a date: ${what}`, async () => {
    const store = fakeStore('one');
    const events: Event[] = [];
    const emit = (event: Event) => void events.push(event);
    const trust = createTrust(settings, { emit });
    const { manifest } = encodeRecord(trust.sign(record));
    for (const tag of [key, record.contentKey!])
      await store.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(tag));
    if (note) await storeAge(store, note, { trust: createTrust(signer, { emit }), signal: undefined });
    assert.equal(store.tags().includes(ageTag(key)), note !== undefined);
    const options = { stores: [store], trust, ttlMs: 7 * DAY_MS, now: NOW, emit };
    const found = [
      await lookupRecord(key, options),
      await lookupRecord(record.contentKey!, options),
      (await lookupRecords([key], { ...options, undated: new Set([key]) })).get(key),
    ];
    for (const one of found) assert.equal(one?.created, age === undefined ? undefined : daysAgo(age).created);
    assert.deepEqual(events, []);
  });
}

test('notes are asked for at the same time as the records that they are on', async () => {
  const store = fakeStore('one');
  const asked: string[] = [];
  let answer = (): void => {};
  const gate = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const keys = [key, digestOf('another')];
  const slow = {
    ...store,
    resolve: async (tag: string) => {
      asked.push(tag);
      if (asked.length === 2 * keys.length) answer();
      await gate;
      return undefined;
    },
  };
  const trust = createTrust(undefined, { emit: () => {} });
  const options = { stores: [slow], trust, ttlMs: DAY_MS, now: NOW, emit: () => {}, undated: new Set(keys) };
  assert.equal((await lookupRecords(keys, options)).size, 0);
  assert.deepEqual(asked.toSorted(), keys.flatMap((one) => [hexOf(one), ageTag(one)]).toSorted());
});
