import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { chainId, SCRATCH } from '../cache/chain-id.ts';
import { lookupRecords } from '../cache/lookup.ts';
import { encodeRecord, type RecordForm } from '../cache/record.ts';
import { recordBytes } from '../cache/signature.ts';
import { fakeKey, fakeLayer, fakeRecord } from '../cache/testing.ts';
import { createTrust } from '../cache/trust.ts';
import type { CacheRecord, LayerRef } from '../cache/types.ts';
import { digestOf, hexOf } from '../core/digest.ts';
import { silent } from '../core/events.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import type { Store } from '../oci/types.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { usableRecords } from './usable-records.ts';

/*
 * What a build makes of a record in which one thing is not as its build wrote it. With keys that are trusted nothing of it
 * counts. Without them whoever can write to a repository is trusted; still, nothing may come of what does not fit.
 */

const digests = { read: digestOf('read'), steps: ['one', 'two', 'three'].map((name) => digestOf(name)) };
const read = { index: 0, name: 'read', base: { type: 'scratch' }, steps: [stepOf(digests.read)] };
const target = { index: 1, name: 'target', base: { type: 'scratch' }, steps: digests.steps.map(stepOf) };
const stages = new Map([read, target].map((stage) => [stage.index, stage as unknown as PlannedStage]));
const plan = { stages, target: 1 } as unknown as Plan;

function stepOf(key: string): Step {
  return { key, stages: [] } as unknown as Step;
}

const [KEY, OTHER] = [digests.steps[2]!, digestOf('other')];
const HONEST = fakeRecord(KEY, ['a', '', 'b'], {
  sources: { [digests.read]: chainId(SCRATCH, [fakeLayer('r').diffId]) },
  platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
});
const LAYERS = new Map(HONEST.chain.map(({ digest, size }) => [digest, size]));

type Outcome =
  /** As if there were no record. */
  | 'miss'
  /** The image that the record's build made: nothing that goes into one is taken from there. */
  | 'same'
  /** Another image, and why nobody but a signature can tell. */
  | { readonly other: string };

interface Change {
  readonly what: string;
  readonly record: CacheRecord;
  readonly outcome: Outcome;
}

/** What is done to each field of a type, which does not compile when one is forgotten. */
type Changes<T> = { readonly [K in keyof T]-?: readonly (readonly [T[K], Outcome])[] };

const READING = 'whoever reads the layer notices';
const ONLY_HERE = 'it stands nowhere else';

const TOC: Changes<NonNullable<LayerRef['toc']>> = {
  offset: [[11, { other: READING }]],
  length: [[21, { other: READING }]],
  digest: [[OTHER, { other: READING }]],
};
const lowest = HONEST.chain[0]!;
const LAYER: Changes<LayerRef> = {
  mediaType: [[MEDIA_TYPES.ociLayerGzip, { other: READING }]],
  digest: [[OTHER, 'miss']],
  size: [[lowest.size + 1, 'miss']],
  diffId: [[OTHER, { other: READING }]],
  toc: [
    [undefined, { other: 'it is read without its table' }],
    ...variants(lowest.toc!, TOC).map(({ record, outcome }): [LayerRef['toc'], Outcome] => [record, outcome]),
  ],
};
const PLATFORM: Changes<CacheRecord['platform']> = {
  os: [['windows', 'same']],
  architecture: [['amd64', 'same']],
  variant: [
    ['v7', 'same'],
    [undefined, 'same'],
  ],
};
const chains = variants(lowest, LAYER).map(({ record, outcome }): [LayerRef[], Outcome] => [
  [record, ...HONEST.chain.slice(1)],
  outcome,
]);

const RECORD: Changes<CacheRecord> = {
  key: [[OTHER, 'miss']],
  contentKey: [
    [OTHER, 'same'],
    [undefined, 'same'],
  ],
  base: [
    [OTHER, 'miss'],
    ['', 'miss'],
  ],
  chain: [
    [[], 'miss'],
    [HONEST.chain.slice(1), 'miss'],
    [[...HONEST.chain, fakeLayer('c')], 'miss'],
    [HONEST.chain.toReversed(), 'miss'],
    ...chains,
  ],
  layer: [
    [undefined, 'miss'],
    [lowest, 'miss'],
    [{ ...HONEST.layer!, digest: OTHER }, 'miss'],
  ],
  made: [
    ['11', 'miss'],
    ['1011', 'miss'],
    ['110', 'miss'],
    ['', 'miss'],
    ['011', { other: ONLY_HERE }],
  ],
  sources: [
    [{}, 'same'],
    [{ [digests.read]: OTHER }, 'same'],
    // Its own key, with other files.
    [{ [KEY]: OTHER }, 'same'],
  ],
  created: [
    ['2026-01-02T03:04:06Z', { other: ONLY_HERE }],
    ['never', 'miss'],
  ],
  // Without a note its age is not known.
  undated: [[true, 'miss']],
  fields: [[{ kind: 'other' }, 'same']],
  platform: variants(HONEST.platform, PLATFORM).map(({ record, outcome }) => [record, outcome]),
  signatures: [[{ '0123456789abcdef': 'AAAA' }, 'same']],
};

function variants<T extends object>(honest: T, changes: Changes<T>) {
  return Object.entries(changes).flatMap(([name, all]) =>
    (all as readonly (readonly [unknown, Outcome])[]).map(([value, outcome], i) => {
      const { [name as keyof T]: _, ...rest } = honest;
      const record = (value === undefined ? rest : { ...rest, [name]: value }) as T;
      return { what: `${name} ${i}`, record, outcome };
    }),
  );
}

const CHANGED: readonly Change[] = variants(HONEST, RECORD);

/** A repository with one record, which has all the layers that it should have. */
function storeOf(record: CacheRecord, form: RecordForm): Store {
  const { manifest, config } = encodeRecord(record, form);
  const descriptor = {
    mediaType: MEDIA_TYPES.ociManifest,
    digest: digestOf(manifest),
    size: manifest.length,
  };
  return {
    name: 'cache',
    has: async (digest) => LAYERS.get(digest),
    get: async (digest) => {
      assert.equal(digest, digestOf(config));
      return Readable.from([config]);
    },
    put: async () => 'exists',
    resolve: async (tag) => (tag === hexOf(KEY) ? { descriptor, bytes: manifest } : undefined),
    tag: async () => descriptor,
  };
}

async function outcomeOf(
  record: CacheRecord,
  form: RecordForm,
  trust = createTrust(undefined, { emit: silent }),
): Promise<'miss' | 'same' | 'other'> {
  const store = storeOf(record, form);
  const found = await lookupRecords([digests.read, ...digests.steps], {
    stores: [store],
    trust,
    ttlMs: Number.POSITIVE_INFINITY,
    now: Date.now(),
    emit: silent,
  });
  const { hits } = await usableRecords(plan, found, {
    store,
    bad: new Set(),
    emit: silent,
    signal: new AbortController().signal,
  });
  const { depth, chain, made, created } = hits.get(1)!;
  if (depth < digests.steps.length) return 'miss';
  try {
    const { chain: honest, made: steps, created: then } = HONEST;
    assert.deepEqual({ chain, made, created }, { chain: honest, made: steps, created: then });
    return 'same';
  } catch {
    return 'other';
  }
}

for (const form of ['full', 'lean'] as const) {
  test(`each field of a ${form} record that is changed makes a miss, or changes nothing, or it is said why it cannot`, async () => {
    assert.equal(await outcomeOf(HONEST, form), 'same');
    for (const { what, record, outcome } of CHANGED) {
      const expected = typeof outcome === 'string' ? outcome : 'other';
      assert.equal(await outcomeOf(record, form), expected, what);
    }
  });

  test(`with a key that is trusted, each field of a ${form} record that is changed makes a miss`, async () => {
    const key = fakeKey();
    const trust = () => createTrust({ trustedKeys: [key.publicKey] }, { emit: silent });
    const signatures = key.sign(recordBytes(HONEST));
    assert.equal(await outcomeOf({ ...HONEST, signatures }, form, trust()), 'same');
    assert.equal(await outcomeOf(HONEST, form, trust()), 'miss');
    for (const { what, record } of CHANGED)
      assert.equal(await outcomeOf({ signatures, ...record }, form, trust()), 'miss', what);
    const stranger = fakeKey();
    for (const wrong of [
      stranger.sign(recordBytes(HONEST)),
      { [key.id]: stranger.sign(recordBytes(HONEST))[stranger.id]! },
      { [key.id]: '' },
      {},
    ])
      assert.equal(await outcomeOf({ ...HONEST, signatures: wrong }, form, trust()), 'miss');
  });
}
