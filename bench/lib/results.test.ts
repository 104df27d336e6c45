import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeResults, resultsOf } from './results.ts';
import type { Row } from './rows.ts';

const measured = (names: readonly string[], what: string) => ({
  machine: 'one',
  versions: ['tar 1', `peer ${what}`],
  works: names.map((name) => ({ name, about: what })),
  missing: ['kaniko'],
  rows: names.map((work) => ({ work, what }) as Row),
  load: [1, 2] as const,
  startCpu: 60,
});
const facts = (command: string) => ({ command, date: '2026-01-02', commit: 'abc' });

test('later works replace their own rows and no others', () => {
  const earlier = resultsOf(measured(['files', 'steps'], 'before'), facts('first'));
  const merged = mergeResults(earlier, resultsOf(measured(['steps', 'demo'], 'after'), facts('second')));
  assert.deepEqual(
    merged.rows.map(({ work, what }) => [work, what]),
    [
      ['files', 'before'],
      ['steps', 'after'],
      ['demo', 'after'],
    ],
  );
  assert.deepEqual(
    merged.runs.map(({ command, works }) => [command, works]),
    [
      ['first', ['files']],
      ['second', ['steps', 'demo']],
    ],
  );
  assert.deepEqual(merged.versions, ['tar 1', 'peer before', 'peer after']);
  assert.deepEqual(merged.missing, ['kaniko']);
});

test('a run of which nothing is left is not named', () => {
  const earlier = resultsOf(measured(['files'], 'before'), facts('first'));
  const merged = mergeResults(earlier, resultsOf(measured(['files'], 'after'), facts('second')));
  assert.deepEqual(
    merged.runs.map(({ command }) => command),
    ['second'],
  );
});
