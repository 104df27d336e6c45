import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf } from './figures.ts';
import { HERD } from './herd-series.ts';
import { HOST } from './host-series.ts';
import type { Row } from './rows.ts';
import { START } from './start-series.ts';

const row = (work: string, what: string, times: number[], peers: Row['peers'] = {}, more = {}): Row => ({
  work,
  what,
  ours: {
    times,
    ms: times[0]!,
    cpuMs: 1,
    phases: { plan: 30 },
    counts: { requests: 1, receivedMiB: 1, sentMiB: 1 },
    made: 0,
    ...more,
  },
  peers,
});

test('what was not measured has no figure', () => {
  assert.deepEqual(figuresOf([]), []);
  assert.deepEqual(figuresOf([row('steps', HOST.uncached, [100], { buildah: [1] })]), []);
});

test('time beyond the commands leaves those out on both sides', () => {
  const uncached = { ...row('steps', HOST.uncached, [250], { docker: [150] }), commands: 50 };
  assert.deepEqual(figuresOf([uncached]), [
    {
      what: 'build, uncached beyond the commands, steps',
      against: 'docker',
      goal: 1.1,
      reached: 2,
      unit: '',
    },
  ]);
});

test('a cached start stands against the other program and against the uncached one', () => {
  const rows = [
    row('demo', START.uncached, [1000]),
    row('demo', START.cached, [50], { kaniko: [200], 'docker run alone': [5] }),
  ];
  assert.deepEqual(
    figuresOf(rows).map(({ against, reached }) => [against, reached]),
    [
      ['kaniko', 0.25],
      [START.uncached, 0.05],
    ],
  );
});

test('a start on a disk where containers come and go stands against one where nothing was deleted', () => {
  const rows = [row('demo', START.cached, [100]), row('demo', START.churned, [130], { kaniko: [650] })];
  assert.deepEqual(
    figuresOf(rows).map(({ against, reached }) => [against, reached]),
    [
      ['kaniko', 0.2],
      [START.cached, 1.3],
    ],
  );
});

test('eight starts at once stand against one: their time, the steps they made, what they sent', () => {
  const counts = { requests: 1, receivedMiB: 1, sentMiB: 50 };
  const rows = [
    row('stages', HERD.oneUncached, [4000], {}, { made: 13, counts }),
    row('stages', HERD.uncached, [5000], {}, { made: 26, counts: { ...counts, sentMiB: 55 } }),
    row('stages', HERD.oneCached, [1000]),
    row('stages', HERD.cached, [2500]),
  ];
  assert.deepEqual(
    figuresOf(rows).map(({ against, reached }) => [against, reached]),
    [
      ['one', 1.25],
      ['one', 2],
      ['one', 1.1],
      ['one', 2.5],
    ],
  );
});

test('the plan stands against a walk of the same files, memory against a limit', () => {
  const rows = [
    row('files', HOST.plan, [30], { 'find -printf': [20] }),
    row('huge', HOST.push, [500], {}, { peakMiB: 140 }),
  ];
  assert.deepEqual(
    figuresOf(rows).map(({ what, reached, unit }) => [what, reached, unit]),
    [
      [`${HOST.plan}, files`, 1.5, ''],
      [`peak memory of ${HOST.push}, huge`, 140, ' MiB'],
    ],
  );
});

test('RUNs of a start stand against their commands, and a cache in a directory against unpacking alone', () => {
  const start = {
    ...row('demo', START.uncached, [900], {}, { phases: { run: 420, plan: 30 } }),
    commands: 400,
  };
  const rows = [start, row('demo', HOST.directory, [60], { 'zstd|tar': [80] })];
  assert.deepEqual(
    figuresOf(rows).map(({ what, against, reached }) => [what, against, reached]),
    [
      [`${HOST.directory}, demo`, 'zstd|tar', 0.75],
      [`RUNs of ${START.uncached}, demo`, 'its commands alone', 1.05],
    ],
  );
});
