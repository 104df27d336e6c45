import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseChainId } from '../cache/claims.ts';
import { fakeRecord } from '../cache/testing.ts';
import type { CacheRecord } from '../cache/types.ts';
import type { Digest } from '../core/digest.ts';
import { planOf } from '../plan/testing.ts';
import type { Plan } from '../plan/types.ts';
import { choosePlan, plansOf } from './choose-plan.ts';
import { keysOf, NO_RECORDS } from './search-records.ts';
import type { BuildRequest } from './types.ts';

const own = await planOf({ dockerfile: 'FROM scratch\nWORKDIR /a\nWORKDIR /b\nWORKDIR /c' });
const request = { buildArgs: new Map() } as unknown as BuildRequest;
const [fixed, kept] = plansOf(request, own) as [Plan, Plan];

/** Records of the first steps of a plan, made of layers with a name. */
function recordsOf(plan: Plan, depth: number, name: string): [Digest, CacheRecord][] {
  const stage = plan.stages.get(0)!;
  return stage.steps.slice(0, depth).map(({ key }, i) => {
    const layers = Array.from({ length: i + 1 }, (_, at) => `${name} ${at}`);
    return [key, fakeRecord(key, layers, { base: baseChainId(plan, stage) })];
  });
}

/** Which plan is chosen, and how many steps of it the cache has. */
async function choice(
  fixedDepth: number,
  keptDepth: number,
  gone: (digest: Digest) => boolean = () => false,
) {
  const records = new Map([...recordsOf(fixed, fixedDepth, 'fixed'), ...recordsOf(kept, keptDepth, 'kept')]);
  const sizes = new Map(
    [...records.values()].flatMap(({ chain }) => chain.map(({ digest, size }) => [digest, size])),
  );
  let asked = 0;
  const { plan, usable } = await choosePlan(
    [fixed, kept],
    { ...NO_RECORDS, found: records },
    {
      store: {
        name: 'store',
        has: async (digest: Digest) => {
          asked += 1;
          return gone(digest) ? undefined : sizes.get(digest);
        },
      } as never,
      bad: new Set(),
      emit: () => {},
      signal: new AbortController().signal,
    },
  );
  return { mtime: plan.mtime, depth: usable.hits.get(0)!.depth, asked };
}

test('a build that keeps times goes by the plan of which fewer steps are missing', async () => {
  const expected: Readonly<Record<string, readonly [number | 'keep', number]>> = {
    '0 0': ['keep', 0],
    '1 0': [0, 1],
    '0 1': ['keep', 1],
    // As good as the other: what has to run is run as it was asked for.
    '2 2': ['keep', 2],
    '2 1': [0, 2],
    '1 2': ['keep', 2],
    '3 2': [0, 3],
    '2 3': ['keep', 3],
    // Nothing has to run: what others have pushed.
    '3 3': [0, 3],
  };
  for (const [depths, [mtime, depth]] of Object.entries(expected)) {
    const [a, b] = depths.split(' ').map(Number) as [number, number];
    const { asked, ...chosen } = await choice(a, b);
    assert.deepEqual(chosen, { mtime, depth }, depths);
    assert.ok(asked <= depth, 'layers of the other plan are not asked for');
  }
});

test('layers that are gone count as missing steps', async () => {
  const [, record] = recordsOf(fixed, 3, 'fixed')[1]!;
  const { digest } = record.chain[1]!;
  const lost = await choice(3, 2, (one) => one === digest);
  assert.deepEqual([lost.mtime, lost.depth], ['keep', 2]);
  const worse = await choice(3, 0, (one) => one === digest);
  assert.deepEqual([worse.mtime, worse.depth], [0, 1]);
});

test('a reproducible build has no other plan, and one that keeps times asks for the time that it was given', async () => {
  assert.deepEqual(plansOf({ ...request, reproducible: true }, fixed), [fixed]);
  const given = { ...request, buildArgs: new Map([['SOURCE_DATE_EPOCH', '7']]) };
  assert.deepEqual(
    plansOf(given, own).map(({ mtime }) => mtime),
    [7, 'keep'],
  );
  assert.equal(new Set(keysOf([fixed, kept])).size, 6);
});
