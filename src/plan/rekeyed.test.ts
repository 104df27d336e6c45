import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GOLDEN_BUILDS } from './golden-builds.ts';
import { rekeyed } from './rekeyed.ts';
import { planOf } from './testing.ts';
import type { Plan } from './types.ts';

/** Every key and digest of a plan. */
function keysOf({ stages, mtime }: Plan): unknown {
  return {
    mtime,
    stages: [...stages.values()].map(({ baseKey, baseInput, contentScope, lastKey, steps }) => ({
      baseKey,
      baseInput,
      contentScope,
      lastKey,
      steps: steps.map(({ key, operationDigest, fields }) => ({ key, operationDigest, fields })),
    })),
  };
}

test('a plan with other times has the keys that planning it with those gives, and none of its own', async () => {
  for (const [name, build] of Object.entries(GOLDEN_BUILDS)) {
    const plan = await planOf({ ...build, mtime: 'keep' });
    const other = rekeyed(plan, 7);
    assert.deepEqual(keysOf(other), keysOf(await planOf({ ...build, mtime: 7 })), name);
    assert.deepEqual(keysOf(rekeyed(other, 'keep')), keysOf(plan), name);
    const keys = (of: Plan) =>
      [...of.stages.values()].flatMap((stage) => [stage.lastKey, ...stage.steps.map(({ key }) => key)]);
    assert.deepEqual(
      keys(plan).filter((key) => keys(other).includes(key)),
      [],
      name,
    );
  }
});
