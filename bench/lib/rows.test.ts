import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Row, type Run, ratioTo, takenOf } from './rows.ts';

const run = (ms: number, phases: Readonly<Record<string, number>>, peakMiB = 100): Run => ({
  run: { startedAt: 0, ms, cpuMs: ms / 2, peakMiB, stdout: '', stderr: '', phases, made: 1 },
  counts: { requests: ms, receivedMiB: 1, sentMiB: 2 },
});

test('what is said is of the run in the middle, memory of the one that took most', () => {
  const runs = [
    run(300, { run: 300 }, 120),
    run(100, { run: 100 }, 170),
    run(200, { plan: 50, run: 150 }, 90),
  ];
  const taken = takenOf(runs, true);
  assert.deepEqual(taken.times, [300, 100, 200]);
  assert.equal(taken.ms, 200);
  assert.deepEqual(taken.phases, { plan: 50, run: 150 });
  assert.equal(taken.counts.requests, 200);
  assert.equal(taken.peakMiB, 170);
  assert.equal('peakMiB' in takenOf(runs, false), false);
  assert.equal(takenOf(runs.slice(0, 2), true).ms, 300);
});

test('a profile with a hole is refused', () => {
  assert.throws(() => takenOf([run(200, { plan: 50, run: 100 })], false), /150 ms, the run 200 ms/);
});

test('a ratio is the median of those of the turns, of what was done in turns', () => {
  const row: Row = {
    work: 'steps',
    what: 'uncached',
    ours: takenOf([run(300, { run: 300 }), run(100, { run: 100 }), run(200, { run: 200 })], false),
    peers: { docker: [100, 100, 100], kaniko: [600], buildah: [100, 200], none: [] },
  };
  assert.equal(ratioTo(row, 'docker'), 2);
  assert.equal(ratioTo(row, 'docker', 50), 3);
  assert.equal(ratioTo(row, 'kaniko'), 0.5);
  assert.equal(ratioTo(row, 'buildah'), 1.75);
  assert.equal(ratioTo(row, 'none'), undefined);
  assert.equal(ratioTo(row, 'podman'), undefined);
});
