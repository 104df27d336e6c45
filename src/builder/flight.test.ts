import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Leases, Taken } from '../cache/leases.ts';
import { encodeRecord } from '../cache/record.ts';
import { fakeRecord } from '../cache/testing.ts';
import { createTrust } from '../cache/trust.ts';
import { type Digest, digestOf, hexOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { type Event, silent } from '../core/events.ts';
import { until } from '../core/testing.ts';
import type { Store } from '../oci/types.ts';
import type { Step } from '../plan/types.ts';
import { createFlight, inTurn } from './flight.ts';
import type { Around } from './stage-runner.ts';

const step = (name: string): Step =>
  ({ key: digestOf(name), stage: 1, index: 2, text: `RUN ${name}` }) as unknown as Step;
const [FIRST, SECOND] = [step('first'), step('second')];
const behind = (...steps: readonly Step[]): Around => ({ before: [], behind: steps });

/** A cache whose records appear, and leases that answer as they are told, one answer an attempt. */
function harness(t: TestContext, answers: readonly Taken['kind'][], options: { patience?: number } = {}) {
  const records = new Set<Digest>();
  const asked: string[] = [];
  const events: Event[] = [];
  const ended: [Digest, boolean][] = [];
  const prepared: (readonly Digest[])[] = [];
  const taken: Parameters<Leases['take']>[] = [];
  let attempts = 0;
  let onAttempt: (attempt: number) => void = () => {};
  const store = {
    name: 'cache',
    resolve: async (tag: string) => {
      asked.push(tag);
      const key: Digest = `sha256:${tag}`;
      if (!records.has(key)) return undefined;
      const bytes = encodeRecord(fakeRecord(key, ['a'], { created: new Date().toISOString() })).manifest;
      return { bytes, descriptor: { digest: digestOf(bytes), size: bytes.length, mediaType: '' } };
    },
  } as unknown as Store;
  const leases: Leases = {
    take: async (keys, before, onFree) => {
      taken.push([keys, before]);
      onFree?.();
      const kind = answers[Math.min(attempts, answers.length - 1)]!;
      attempts += 1;
      onAttempt(attempts);
      return kind === 'taken' ? { kind, missing: false } : { kind };
    },
    prepare: (keys) => void prepared.push(keys),
    holds: () => true,
    confirms: async () => true,
    end: async (key, stored) => void ended.push([key, stored]),
    close: async () => {},
  };
  const stop = new AbortController();
  t.after(() => stop.abort());
  const flight = createFlight({
    lookup: {
      stores: [store],
      trust: createTrust(undefined, { emit: silent }),
      ttlMs: Number.POSITIVE_INFINITY,
      now: Date.now(),
      emit: silent,
    },
    leases,
    patience: options.patience ?? 60_000,
    emit: (event) => events.push(event),
    signal: stop.signal,
  });
  return {
    ...{
      flight,
      store,
      leases,
      records,
      asked,
      events,
      ended,
      prepared,
      taken,
      stop,
      attempts: () => attempts,
    },
    onAttempt: (call: (attempt: number) => void) => {
      onAttempt = call;
    },
  };
}

test('a step whose lease is taken runs, and the lease ends with what became of it', async (t) => {
  const { flight, ended, asked } = harness(t, ['taken']);
  const { records, turn } = await flight.enter(FIRST, behind(SECOND));
  assert.equal(records.size, 0);
  // The step behind is asked for only where there is something.
  assert.deepEqual(asked, [hexOf(FIRST.key)]);
  turn!.end(true);
  assert.deepEqual(ended, [[FIRST.key, true]]);
});

test('leases of the steps behind are prepared while one is made, and given back with it', async (t) => {
  const { flight, ended, prepared } = harness(t, ['taken']);
  const third = step('third');
  const { turn } = await flight.enter(FIRST, behind(SECOND, third));
  assert.deepEqual(prepared, [[SECOND.key, third.key]]);
  turn!.end(false);
  assert.deepEqual(
    ended,
    [FIRST, SECOND, third].map(({ key }) => [key, false]),
  );
});

test('a lease is asked for with the steps around it, since one may be for several', async (t) => {
  const { flight, taken } = harness(t, ['taken']);
  const [third, fourth] = [step('third'), step('fourth')];
  await flight.enter(third, { before: [FIRST, SECOND], behind: [fourth] });
  assert.deepEqual(taken, [
    [
      [third.key, fourth.key],
      [FIRST.key, SECOND.key],
    ],
  ]);
});

test('all that has been made behind a step is found, and little else is asked for', async (t) => {
  const steps = Array.from({ length: 100 }, (_, i) => step(`step ${i}`));
  for (const many of [1, 2, 3, 4, 10, 31, 99, 100]) {
    const { flight, records, asked } = harness(t, ['held']);
    for (const { key } of steps.slice(0, many)) records.add(key);
    const entry = await flight.enter(steps[0]!, behind(...steps.slice(1)));
    assert.deepEqual(
      [...entry.records.keys()],
      steps.slice(0, many).map(({ key }) => key),
    );
    assert.ok(asked.length <= 2 * many + 3, `${asked.length} for ${many}`);
  }
});

test('what has been made meanwhile is found although the lease is free', async (t) => {
  const { flight, records, prepared } = harness(t, ['taken']);
  records.add(FIRST.key).add(SECOND.key);
  const entry = await flight.enter(FIRST, behind(SECOND));
  assert.deepEqual([...entry.records.keys()], [FIRST.key, SECOND.key]);
  assert.deepEqual(prepared, []);
  assert.ok(entry.turn);
});

test('a step that another build makes is waited for, and then found', async (t) => {
  const { flight, records, attempts, onAttempt } = harness(t, ['held']);
  onAttempt((attempt) => attempt === 3 && records.add(FIRST.key));
  const entry = await flight.enter(FIRST, behind());
  assert.deepEqual([...entry.records.keys()], [FIRST.key]);
  assert.equal(entry.turn, undefined);
  assert.equal(attempts(), 3);
});

test('where the other build fails, the step is made here', async (t) => {
  const { flight } = harness(t, ['held', 'held', 'taken']);
  const entry = await flight.enter(FIRST, behind());
  assert.equal(entry.records.size, 0);
  assert.ok(entry.turn);
});

test('waiting is said, and said again while it goes on', async (t) => {
  const { flight, events, records } = harness(t, ['held']);
  const waiting = flight.enter(FIRST, behind());
  await until('it is said', () => events.some(({ type }) => type === 'step-waiting'));
  const [event] = events;
  assert.ok(event?.type === 'step-waiting' && event.ms >= 1000);
  assert.deepEqual(event.id, { stage: 1, step: 2 });
  records.add(FIRST.key);
  await waiting;
  assert.equal(events.length, 1);
});

test('waiting has an end, after which the step is made here without a lease', async (t) => {
  const { flight, events } = harness(t, ['held'], { patience: 300 });
  const { turn, records } = await flight.enter(FIRST, behind());
  assert.deepEqual([turn, records.size], [undefined, 0]);
  assert.match(JSON.stringify(events), /another build has made RUN first for \d+ s; it is made here as well/);
});

test('without leases the cache is asked once, and nobody waits', async (t) => {
  const { flight, asked, attempts } = harness(t, ['none']);
  assert.deepEqual(await flight.enter(FIRST, behind(SECOND)), { records: new Map(), turn: undefined });
  assert.deepEqual([asked.length, attempts()], [1, 1]);
});

test('waiting ends with the build', async (t) => {
  const { flight, stop, onAttempt } = harness(t, ['held']);
  onAttempt((attempt) => attempt === 2 && stop.abort(new AppError('ABORTED', 'interrupted')));
  await assert.rejects(flight.enter(FIRST, behind()), (error: Error) =>
    /interrupted|aborted/.test(error.message),
  );
});

test('a cache that cannot be asked again is not asked at every step', async (t) => {
  const { flight, store } = harness(t, ['none']);
  let asked = 0;
  Object.assign(store, {
    resolve: async () => {
      asked += 1;
      throw new AppError('REGISTRY', 'it is down');
    },
  });
  for (const one of [FIRST, SECOND])
    assert.deepEqual(await flight.enter(one, behind()), { records: new Map(), turn: undefined });
  assert.equal(asked, 1);
});

test('a cache that does not answer while another build makes the step is asked again', async (t) => {
  const { flight, store, records, onAttempt } = harness(t, ['held']);
  const { resolve } = store;
  let away = true;
  Object.assign(store, {
    resolve: async (tag: string) => {
      if (away) throw new AppError('REGISTRY', 'it is started again');
      return resolve(tag);
    },
  });
  onAttempt((attempt) => {
    if (attempt < 3) return;
    away = false;
    records.add(FIRST.key);
  });
  const { records: found, turn } = await flight.enter(FIRST, behind());
  assert.deepEqual([[...found.keys()], turn], [[FIRST.key], undefined]);
});

test('work that others do is done after them, and the lease ends also where it fails', async (t) => {
  const { leases, attempts, ended, stop } = harness(t, ['held', 'held', 'taken']);
  const options = { patience: 60_000, signal: stop.signal };
  assert.equal(await inTurn(leases, FIRST.key, options, async () => attempts()), 3);
  await assert.rejects(
    inTurn(leases, FIRST.key, options, () => Promise.reject(new Error('failed'))),
    /failed/,
  );
  assert.deepEqual(ended, [
    [FIRST.key, false],
    [FIRST.key, false],
  ]);
});

test('a step that nobody makes is begun while its lease is taken, unless its record is there by then', async (t) => {
  for (const isThere of [false, true]) {
    const { flight, records, asked } = harness(t, ['taken']);
    if (isThere) records.add(FIRST.key);
    let begun = 0;
    const { records: found } = await flight.enter(FIRST, behind(), () => {
      begun += 1;
    });
    await until('it is asked twice', () => asked.length === 2);
    assert.deepEqual([begun, found.size], isThere ? [0, 1] : [1, 0]);
  }
});
