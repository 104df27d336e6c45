import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageHit } from '../cache/hits.ts';
import { digestOf } from '../core/digest.ts';
import type { Plan, PlannedStage } from '../plan/types.ts';
import { layersKey } from '../rootfs/overlay/bases.ts';
import { sharedBases } from './shared-bases.ts';

const debian = [digestOf('debian')];
const image = { type: 'image', image: { config: { rootfs: { diff_ids: debian } } } };

interface FakeStage {
  readonly base?: unknown;
  /** For each step, the stages that it reads. */
  readonly steps?: readonly (readonly number[])[];
  readonly depth?: number;
}

/** The last stage is the target. */
function sharedOf(...stages: readonly FakeStage[]): ReadonlySet<string> {
  const planned = stages.map(({ base = image, steps = [] }, index) => ({
    index,
    base,
    steps: steps.map((reads) => ({ stages: reads })),
  }));
  const plan = {
    target: stages.length - 1,
    stages: new Map(planned.map((stage) => [stage.index, stage as unknown as PlannedStage])),
  } as unknown as Plan;
  const hits = stages.map(({ depth = 0 }, index) => [index, { depth } as StageHit] as const);
  return sharedBases(plan, new Map(hits));
}

test('a base of a step that is missing and of the stage that it reads is shared', () => {
  const found = sharedOf({ steps: [[]], depth: 1 }, { steps: [[0]] });
  assert.deepEqual([...found], [layersKey(debian)]);
});

test('stages that only found steps read do not count', () => {
  assert.equal(sharedOf({ steps: [[]], depth: 1 }, { steps: [[0], []], depth: 1 }).size, 0);
});

test('a stage that goes on from another one has no base of its own', () => {
  const next = { base: { type: 'stage', stage: 0 }, steps: [[]] };
  assert.equal(sharedOf({ steps: [[]] }, next).size, 0);
  assert.equal(
    sharedOf({ steps: [[]], depth: 1 }, { steps: [[0]] }, { ...next, steps: [[1]], depth: 0 }).size,
    1,
  );
});

test('scratch is nothing to share', () => {
  const base = { type: 'scratch' };
  assert.equal(sharedOf({ base, steps: [[]] }, { base, steps: [[0]] }).size, 0);
});
