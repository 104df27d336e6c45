import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { OurRun } from './measure.ts';
import { createRecorder } from './recorder.ts';
import type { Work } from './works.ts';

test('all take turns, slow ones in the first rounds only, and one that fails is left out with the reason', async (t) => {
  let requests = 0;
  const registry = createServer((_, response) => {
    response.end(`registry_http_requests_total{code="200"} ${requests}\n`);
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  t.after(() => registry.close());
  const order: string[] = [];
  const said: string[] = [];
  const { rows, record } = createRecorder({
    metrics: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
    say: ({ what }) => said.push(what),
    failed: (what) => said.push(what),
  });
  const turn = (name: string, ms: number) => async (round: number) => {
    order.push(`${name} ${round}`);
    if (name === 'broken' && round === 1) throw new Error('first line\nno such thing');
    return { ms };
  };
  await record({ name: 'work' } as Work, {
    what: 'a thing',
    rounds: 3,
    beforeTurn: async () => void order.push('ready'),
    ours: async (round) => {
      order.push(`ours ${round}`);
      requests += round + 1;
      const ms = 10 * (round + 1);
      return {
        startedAt: 0,
        ms,
        cpuMs: 0,
        peakMiB: 0,
        stdout: '',
        stderr: '',
        phases: { run: ms },
        made: 0,
      } satisfies OurRun;
    },
    peers: { quick: turn('quick', 5), slow: turn('slow', 100), broken: turn('broken', 1) },
    slow: { peers: ['slow'], rounds: 1 },
  });
  const turns = [
    'ours 0',
    'quick 0',
    'slow 0',
    'broken 0',
    'ours 1',
    'quick 1',
    'broken 1',
    'ours 2',
    'quick 2',
  ];
  assert.deepEqual(
    order,
    turns.flatMap((each) => ['ready', each]),
  );
  assert.deepEqual(said, ['broken cannot do "work, a thing": no such thing', 'a thing']);
  assert.deepEqual(rows[0]?.peers, { quick: [5, 5, 5], slow: [100] });
  assert.equal(rows[0]?.ours.ms, 20);
  assert.equal(rows[0]?.ours.counts.requests, 2);
});
