import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsIn } from './check-waits.ts';

const found = (text: string): number => problemsIn('a.test.ts', text).length;

test('short limits and waits for a time are found, with their lines', () => {
  for (const line of [
    "test('x', { timeout: 60_000 }, async () => {",
    'run({ timeoutMs: 5000 });',
    'const call = (timeoutMs = 60_000) => 1;',
    'const PATIENCE_MS = 10000;',
    'await sleep(100);',
    'await new Promise((resolve) => setTimeout(resolve, 5));',
    'setTimeout(() => abort.abort(), 20);',
    'Atomics.wait(array, 0, 0, 20);',
    'open({ signal: AbortSignal.timeout(60_000) });',
    'const end = performance.now() + 60_000;',
    "run('echo up; sleep 60');",
  ])
    assert.equal(found(line), 1, line);
  assert.match(problemsIn('src/a.test.ts', '\nawait sleep(1);')[0]!, /^src\/a\.test\.ts:2: waits for a time/);
});

test('what has a reason, and what is none, is left alone', () => {
  for (const text of [
    '// Wait: the server counts in seconds.\nawait sleep(1000);',
    '// Wait: a long reason,\n// in two lines.\nawait sleep(1000);',
    'await sleep(1000); // Wait: as above.',
    'run({ timeoutMs: PATIENCE_MS });',
    'run({ timeoutMs: 600_000 });',
    "import { setTimeout as sleep } from 'node:timers/promises';",
    "run('sleep 1000');",
    "run('until test -e go; do sleep 0.05; done');",
    'AbortSignal.timeout(PATIENCE_MS)',
    'const end = performance.now() + PATIENCE_MS;',
    'const then = Date.now() + 60_000;',
    'function sleep(ms: number) {}',
  ])
    assert.equal(found(text), 0, text);
  assert.equal(found('// Wait: one\n\nawait sleep(1000);'), 1, 'the comment is not right above');
});
