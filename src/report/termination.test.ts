import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { createRedactor } from './redact.ts';
import { createTerminationMessage } from './termination.ts';

const id = { stage: 0, step: 0 };
const range = { file: 'Dockerfile', start: { line: 2, column: 1 }, end: { line: 2, column: 9 } };
interface Message {
  readonly outcome: string;
  readonly error: {
    readonly message: string;
    readonly hint: string;
    readonly where: { readonly range: object };
  };
}
const SECRET = 'quite-a-secret';

function messageOf(events: readonly Event[]): { readonly text: string; readonly data: Message } {
  const redactor = createRedactor();
  redactor.add(SECRET);
  let time = 0;
  const message = createTerminationMessage('build', redactor, () => time);
  for (const event of events) message.take(event);
  time = 61_234;
  const text = message.text();
  return { text, data: JSON.parse(text) as Message };
}

const failure = (message: string, hint?: string): Event => ({
  type: 'error',
  error: new AppError('BUILD_FAILED', message, { ...(hint ? { hint } : {}), where: { range } }),
});

test('a message sums a run up', () => {
  const { data } = messageOf([
    { type: 'step-planned', id, stageName: 'a', text: 'RUN x', range },
    { type: 'step-finished', id, outcome: 'built', ms: 1, key: 'sha256:1' },
    { type: 'transfer', direction: 'pull', digest: 'sha256:1', bytes: 7 },
    { type: 'message', level: 'info', text: 'pushed', image: 'r/cache@sha256:2' },
    { type: 'message', level: 'info', text: 'more' },
  ]);
  assert.deepEqual(data, {
    command: 'build',
    outcome: 'ok',
    seconds: 61.2,
    image: 'r/cache@sha256:2',
    steps: { planned: 1, hit: 0, built: 1, failed: 0 },
    bytes: { pulled: 7, pushed: 0 },
  });
});

test('a message of a failure says what, where, and what to do next', () => {
  const { data } = messageOf([failure('RUN x exited with 1', 'mend it')]);
  assert.equal(data.outcome, 'BUILD_FAILED');
  assert.equal(data.error.message, 'RUN x exited with 1');
  assert.equal(data.error.hint, 'mend it');
  assert.deepEqual(data.error.where.range, range);
});

test('a message always fits, is one line of JSON, and has no secret', () => {
  const texts = {
    plain: 'x'.repeat(10_000),
    wide: '界'.repeat(10_000),
    pairs: '🧱'.repeat(10_000),
    half: `\ud83e${'\udd16\ud83e'.repeat(5000)}`,
    control: '\u0007\n\u2028'.repeat(5000),
    quotes: '"\\'.repeat(5000),
    secret: `${'y'.repeat(100)}${SECRET}`.repeat(200),
    url: `https://user:${SECRET}@host/${'z'.repeat(5000)}`,
  };
  for (const [name, long] of Object.entries(texts)) {
    const { text, data } = messageOf([
      { type: 'message', level: 'info', text: '', image: long },
      failure(long, long),
    ]);
    assert.ok(Buffer.byteLength(text) <= 4096, name);
    assert.equal(text.indexOf('\n'), text.length - 1, name);
    assert.ok(data.error.message.length > 100, name);
    assert.ok(!text.includes(SECRET.slice(0, 8)), name);
    assert.ok(text.isWellFormed(), name);
  }
});
