import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Digest, digestOf } from '../core/digest.ts';
import type { Plan, PlannedStage, Step } from '../plan/types.ts';
import { chainId, SCRATCH } from './chain-id.ts';
import { resolveHits } from './hits.ts';
import { fakeLayer, fakeRecord } from './testing.ts';
import type { CacheRecord } from './types.ts';

const key = (stage: number, step: number): Digest => digestOf(`key ${stage}.${step}`);

function fakeStage(
  index: number,
  steps: number,
  base: PlannedStage['base'] = { type: 'scratch' },
): PlannedStage {
  const list = Array.from(
    { length: steps },
    (_, i) => ({ key: key(index, i), stages: [] }) as unknown as Step,
  );
  const lastKey = list.at(-1)?.key ?? digestOf(`base ${index}`);
  return { index, name: String(index), base, steps: list, lastKey } as unknown as PlannedStage;
}

function hitsOf(stages: readonly PlannedStage[], records: readonly CacheRecord[]) {
  const plan = { stages: new Map(stages.map((stage) => [stage.index, stage])) } as unknown as Plan;
  return resolveHits(plan, new Map(records.map((record) => [record.key, record])));
}

const chainOf = (...names: string[]): string =>
  chainId(
    SCRATCH,
    names.map((name) => fakeLayer(name).diffId),
  );

test('the deepest record wins, and a gap before it does not matter', () => {
  const hits = hitsOf(
    [fakeStage(0, 3)],
    [fakeRecord(key(0, 0), ['a']), fakeRecord(key(0, 2), ['a', 'b', 'c'])],
  );
  assert.equal(hits.get(0)!.depth, 3);
  assert.equal(hits.get(0)!.chain.length, 3);
});

test('a record on top of other layers than those of an earlier record is a miss, never a mix', () => {
  const hits = hitsOf(
    [fakeStage(0, 2)],
    [fakeRecord(key(0, 0), ['rebuilt']), fakeRecord(key(0, 1), ['old', 'b'])],
  );
  assert.equal(hits.get(0)!.depth, 1);
  assert.deepEqual(hits.get(0)!.chain, [fakeLayer('rebuilt')]);
});

test('a record made on another base is a miss', () => {
  const hits = hitsOf([fakeStage(0, 1)], [fakeRecord(key(0, 0), ['a'], { base: digestOf('other base') })]);
  assert.equal(hits.get(0)!.depth, 0);
});

test('a COPY --from a stage that was rebuilt with another result is stale, however deep it lies', () => {
  const source = fakeStage(0, 1);
  const target = fakeStage(1, 3);
  const sources = { [source.lastKey]: chainOf('old') };
  const stale = [
    fakeRecord(key(1, 1), ['x', 'copied'], { sources }),
    fakeRecord(key(1, 2), ['x', 'copied', 'y'], { sources }),
  ];
  const first = fakeRecord(key(1, 0), ['x']);
  assert.equal(hitsOf([source, target], [fakeRecord(key(0, 0), ['new']), first, ...stale]).get(1)!.depth, 1);
  assert.equal(hitsOf([source, target], [fakeRecord(key(0, 0), ['old']), first, ...stale]).get(1)!.depth, 3);
});

test('a stage whose records are gone does not spoil a stage that copied from it', () => {
  const source = fakeStage(0, 1);
  const sources = { [source.lastKey]: chainOf('gone') };
  const hits = hitsOf([source, fakeStage(1, 1)], [fakeRecord(key(1, 0), ['x'], { sources })]);
  assert.equal(hits.get(1)!.depth, 1);
});

test('FROM stage continues the chain of that stage', () => {
  const parent = fakeStage(0, 1);
  const child = fakeStage(1, 1, { type: 'stage', stage: 0 });
  const records = [fakeRecord(key(0, 0), ['p']), fakeRecord(key(1, 0), ['p', 'c'])];
  assert.equal(hitsOf([parent, child], records).get(1)!.depth, 1);
  const other = [fakeRecord(key(0, 0), ['new p']), fakeRecord(key(1, 0), ['p', 'c'])];
  const hit = hitsOf([parent, child], other).get(1)!;
  assert.deepEqual([hit.depth, hit.chain], [0, [fakeLayer('new p')]]);
});

test('chain IDs are those of the image specification', () => {
  const [a, b] = [digestOf('a'), digestOf('b')];
  assert.equal(chainId(SCRATCH, []), SCRATCH);
  assert.equal(chainId(SCRATCH, [a]), a);
  assert.equal(chainId(SCRATCH, [a, b]), digestOf(`${a} ${b}`));
  assert.equal(chainId(a, [b]), digestOf(`${a} ${b}`));
});
