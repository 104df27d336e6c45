import assert from 'node:assert/strict';
import { test } from 'node:test';
import { profileOf } from './phase-profile.ts';

const at = (ms: number): string => new Date(ms).toISOString();
const phase = (name: string, to: number, ms: number) => ({ type: 'phase', phase: name, time: at(to), ms });

test('every moment counts once, and all of them add up to the time by the clock', () => {
  const profile = profileOf(
    [
      phase('plan', 300, 100),
      phase('upload', 900, 500),
      phase('run', 700, 300),
      phase('download', 1000, 20),
      phase('write', 1000, 50),
      phase('extract', 1000, 10),
    ],
    0,
    1100,
  );
  assert.deepEqual(profile, {
    start: 200,
    plan: 100,
    rest: 220,
    run: 300,
    upload: 200,
    download: 20,
    write: 50,
    extract: 10,
  } satisfies Record<string, number>);
  assert.equal(
    Object.values(profile).reduce((sum, ms) => sum + ms, 0),
    1100,
  );
});
