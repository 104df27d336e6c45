import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeAge } from '../cache/age.ts';
import { encodeRecord } from '../cache/record.ts';
import { fakeRecord, fakeStore } from '../cache/testing.ts';
import { createTrust } from '../cache/trust.ts';
import { type Digest, hexOf } from '../core/digest.ts';
import type { Event } from '../core/events.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import { planOf } from '../plan/testing.ts';
import type { Plan } from '../plan/types.ts';
import { plansOf } from './choose-plan.ts';
import { keysOf, searchRecords } from './search-records.ts';
import type { BuildRequest } from './types.ts';

const DOCKERFILE = `FROM scratch AS one
WORKDIR /1
WORKDIR /2
FROM one AS above
WORKDIR /3
FROM scratch
COPY --from=above / /
WORKDIR /4
WORKDIR /5
`;
const own = await planOf({ dockerfile: DOCKERFILE });
const request = { buildArgs: new Map() } as unknown as BuildRequest;
const [fixed, kept] = plansOf(request, own) as [Plan, Plan];
/** In the order of the Dockerfile; the last one is the target's. */
const [fixedKeys, keptKeys] = [keysOf([fixed]), keysOf([kept])];
const trust = createTrust(undefined, { emit: () => {} });

async function put(store: Store, keys: readonly Digest[], undated = false): Promise<void> {
  for (const key of keys) {
    const record = fakeRecord(key, ['a'], {
      created: new Date().toISOString(),
      ...(undated ? { undated } : {}),
    });
    const { manifest } = encodeRecord(record);
    await store.tag(manifest, MEDIA_TYPES.ociManifest, hexOf(key));
    if (undated) await storeAge({ ...store, put: async () => 'stored' }, record, { trust });
  }
}

/** A search that counts questions; those on ages are apart. */
async function searching(plans: readonly Plan[], ...stores: readonly Store[]) {
  const asked: string[] = [];
  const events: Event[] = [];
  const counting = stores.map((store) => ({
    ...store,
    resolve: async (tag: string) => {
      asked.push(tag);
      return store.resolve(tag);
    },
  }));
  const emit = (event: Event): void => void events.push(event);
  const refused = new Map();
  const search = await searchRecords(
    plans,
    { stores: counting, trust, ttlMs: 86_400_000, now: Date.now(), refused, emit },
    emit,
  );
  const taken = (): { records: number; ages: number } => {
    const all = asked.splice(0);
    const ages = all.filter((tag) => tag.startsWith('age-')).length;
    return { records: all.length - ages, ages };
  };
  const warnings = (): number => events.filter(({ type }) => type === 'warning').length;
  return { search, taken, warnings, refused };
}

const ROWS: Readonly<
  Record<
    string,
    {
      readonly plans: readonly Plan[];
      readonly there: readonly Digest[];
      readonly undated?: readonly Digest[];
      readonly first: { readonly records: number; readonly ages: number };
      readonly more: { readonly records: number; readonly ages: number };
      readonly found: number;
    }
  >
> = {
  'an empty cache': {
    plans: [fixed, kept],
    there: [],
    first: { records: 3, ages: 2 },
    more: { records: 5, ages: 0 },
    found: 0,
  },
  'a reproducible build and an empty cache': {
    plans: [fixed],
    there: [],
    first: { records: 2, ages: 2 },
    more: { records: 4, ages: 0 },
    found: 0,
  },
  'all of it': {
    plans: [fixed, kept],
    there: keptKeys,
    first: { records: 3, ages: 2 },
    more: { records: 5, ages: 0 },
    found: 6,
  },
  'what is above the first step changed': {
    plans: [fixed, kept],
    there: keptKeys.slice(0, 3),
    first: { records: 3, ages: 2 },
    more: { records: 5, ages: 0 },
    found: 3,
  },
  'a part of what a reproducible build has stored': {
    plans: [fixed, kept],
    there: [],
    undated: fixedKeys.slice(0, 3),
    first: { records: 3, ages: 2 },
    more: { records: 9, ages: 4 },
    found: 3,
  },
  'a reproducible build with a part of it': {
    plans: [fixed],
    there: [],
    undated: fixedKeys.slice(0, 2),
    first: { records: 2, ages: 2 },
    more: { records: 4, ages: 4 },
    found: 2,
  },
};

for (const [name, row] of Object.entries(ROWS)) {
  test(`records are asked for once, and only where they can be: ${name}`, async () => {
    const store = fakeStore('one');
    await put(store, row.there);
    await put(store, row.undated ?? [], true);
    const { search, taken, warnings } = await searching(row.plans, store);
    assert.deepEqual(taken(), row.first);
    assert.equal(await search.more(), true);
    assert.deepEqual(taken(), row.more);
    assert.equal(search.found.size, row.found);
    assert.equal(await search.more(), false);
    assert.deepEqual(taken(), { records: 0, ages: 0 });
    assert.equal(warnings(), 0);
  });
}

test('a Dockerfile of many stages asks no more', async () => {
  const stages = Array.from({ length: 50 }, (_, i) => `FROM scratch AS s${i}\nWORKDIR /${i}`);
  const copies = stages.map((_, i) => `COPY --from=s${i} / /`);
  const many = await planOf({ dockerfile: [...stages, 'FROM scratch', ...copies].join('\n') });
  const { taken } = await searching(plansOf(request, many), fakeStore('one'));
  assert.deepEqual(taken(), { records: 6, ages: 5 });
});

test('a target without steps is known by the stage that it stands on', async () => {
  const plan = await planOf({ dockerfile: 'FROM scratch AS one\nWORKDIR /1\nWORKDIR /2\nFROM one' });
  const store = fakeStore('one');
  const last = keysOf([plan])[1]!;
  await put(store, [last]);
  const { search } = await searching([plan], store);
  assert.deepEqual([...search.found.keys()], [last]);
});

test('an expired record says that there are others', async () => {
  const store = fakeStore('one');
  await put(store, fixedKeys.slice(0, 2), true);
  const old = fakeRecord(fixedKeys[0]!, ['a']);
  await store.tag(encodeRecord(old).manifest, MEDIA_TYPES.ociManifest, hexOf(fixedKeys[0]!));
  const { search } = await searching([fixed, kept], store);
  assert.equal(search.found.size, 0);
  await search.more();
  assert.deepEqual([...search.found.keys()], [fixedKeys[1]!]);
});

test('a repository that answers nothing is asked once, and every step of it says why', async () => {
  const [first, second] = [fakeStore('first'), fakeStore('second')];
  first.broken = true;
  await put(second, keptKeys.slice(0, 2));
  const { search, taken, warnings, refused } = await searching([fixed, kept], first, second);
  const told = warnings();
  taken();
  await search.more();
  // Of the other one alone, where the first may have what a reproducible build stored.
  assert.deepEqual(taken(), { records: 9, ages: 4 });
  assert.equal(warnings(), told);
  assert.equal(search.found.size, 2);
  assert.deepEqual(
    keptKeys.map((key) => refused.get(key)?.code),
    keptKeys.map(() => 'cache-unreachable'),
  );
});

test('one question without an answer stops no others', async () => {
  const store = fakeStore('one');
  await put(store, keptKeys.slice(0, 5));
  const broken: Store = {
    ...store,
    resolve: async (tag) => {
      store.broken = tag === hexOf(keptKeys[5]!);
      return store.resolve(tag);
    },
  };
  const { search } = await searching([kept], broken);
  await search.more();
  assert.deepEqual([...search.found.keys()].toSorted(), keptKeys.slice(0, 5).toSorted());
});

test('without a lookup there are no records, and nothing is asked', async () => {
  const search = await searchRecords([kept], undefined, () => {});
  assert.equal(search.found.size, 0);
  assert.equal(await search.more(), false);
});
