import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { countDown } from './countdown.ts';

test('it says what will happen, and can be stopped', async () => {
  const events: Event[] = [];
  const emit = (event: Event): void => {
    events.push(event);
  };
  await countDown(emit, new AbortController().signal, 1);
  assert.equal(events.length, 11);
  assert.match((events[0] as { text: string }).text, /about to be deleted/);
  assert.match((events[10] as { text: string }).text, /^1 second/);
  const controller = new AbortController();
  // Wait: it is stopped at any time.
  setTimeout(() => controller.abort(new Error('stop')), 20);
  await assert.rejects(countDown(emit, controller.signal, 60_000), /stop/);
});
