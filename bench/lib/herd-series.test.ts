import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sideBySide } from './herd-series.ts';
import type { OurRun } from './measure.ts';

const run = (startedAt: number, ms: number, more: Partial<OurRun> = {}): OurRun => ({
  ...{ startedAt, ms, cpuMs: 10, peakMiB: 100, made: 1 },
  ...{ stdout: '', stderr: '', phases: {} },
  ...more,
});

test('runs side by side last from the first start to the last end, and each moment counts once', () => {
  const event = (at: number, ms: number): string =>
    JSON.stringify({ time: new Date(at).toISOString(), type: 'phase', phase: 'plan', ms });
  const both = sideBySide([
    run(1000, 500, { stderr: event(1400, 200) }),
    run(1100, 900, { stderr: `a word\n${event(1500, 200)}` }),
  ]);
  assert.deepEqual([both.startedAt, both.ms, both.cpuMs, both.peakMiB, both.made], [1000, 1000, 20, 200, 2]);
  assert.deepEqual(both.phases, { start: 200, plan: 300, rest: 500 });
});
