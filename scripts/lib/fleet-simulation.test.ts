import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type FleetPlan,
  START_SECONDS,
  type Strategy,
  simulateDay,
  UNPACK_RATE,
} from './fleet-simulation.ts';

const CACHE: Strategy = { name: '', cache: true, prebuild: false, nodeCache: false, peers: false };
const PLAN: FleetPlan = {
  environment: { name: '', megabytes: 254, changed: 0.5, buildSeconds: 100, rebuildSeconds: 10 },
  strategy: CACHE,
  starts: 1,
  nodes: 1,
  repositories: 1,
  commits: 1,
  registryRate: 1e6,
  nodeRate: 1e6,
};

const plans = fc.record({
  starts: fc.integer({ min: 1, max: 120 }),
  nodes: fc.integer({ min: 1, max: 10 }),
  repositories: fc.integer({ min: 1, max: 10 }),
  commits: fc.integer({ min: 1, max: 5 }),
  registryRate: fc.integer({ min: 200, max: 2000 }),
  nodeRate: fc.integer({ min: 200, max: 2000 }),
});

test('one start takes what its parts take', () => {
  const fetched = 254 / UNPACK_RATE + START_SECONDS;
  const cases: readonly [Partial<FleetPlan>, number][] = [
    [{}, 10 + fetched],
    [{ strategy: { ...CACHE, prebuild: true } }, fetched],
    [{ strategy: { ...CACHE, cache: false } }, 100 + START_SECONDS],
    [{ registryRate: 25.4, strategy: { ...CACHE, prebuild: true } }, 10 + START_SECONDS],
    [{ nodeRate: 25.4, strategy: { ...CACHE, prebuild: true } }, 10 + START_SECONDS],
  ];
  for (const [change, expected] of cases) {
    const { median } = simulateDay({ ...PLAN, ...change })!;
    assert.ok(Math.abs(median - expected) < 1e-6, `${median} instead of ${expected}`);
  }
});

test('every start ends, each build is done once, and bytes are those of all starts', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const day = simulateDay({ ...PLAN, ...plan })!;
      assert.ok(day.median >= START_SECONDS && day.p95 >= day.median);
      assert.ok(Math.abs(day.registryGigabytes - (plan.starts * 254) / 1000) < 1e-6);
      assert.ok(day.buildHours * 3600 <= plan.repositories * plan.commits * 10 + 1e-6);
      assert.deepEqual(simulateDay({ ...PLAN, ...plan }), day);
    }),
  );
});

test('what a node or another one has is not fetched from the registry again', () => {
  fc.assert(
    fc.property(plans, (plan) => {
      const strategies = [{}, { nodeCache: true }, { nodeCache: true, peers: true }];
      const [all, nodes, peers] = strategies.map(
        (more) => simulateDay({ ...PLAN, ...plan, strategy: { ...CACHE, ...more } })!.registryGigabytes,
      ) as [number, number, number];
      assert.ok(nodes <= all && peers <= nodes);
    }),
  );
});

test('a registry that cannot send what is asked of it is said to be overloaded', () => {
  assert.equal(simulateDay({ ...PLAN, starts: 5000, nodes: 50, registryRate: 10 }), undefined);
});
