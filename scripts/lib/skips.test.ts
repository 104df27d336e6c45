import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedSkips } from './skips.ts';

test('only the lack of a cluster is allowed, wherever the test stands', () => {
  const cases: [string, number][] = [
    ['ok 1 - a # SKIP no cluster: Go is not installed', 1],
    ['    ok 2 - b # SKIP no cluster: Go \\# is not', 1],
    ['ok 3 - a # SKIP', 0],
    ['ok 4 - a # SKIP docker: no cluster: x', 0],
    ['ok 5 - a \\# SKIP no cluster: x', 0],
    ['not ok 6 - a', 0],
    ['# ok 7 - a # SKIP no cluster: x', 0],
  ];
  for (const [line, count] of cases)
    assert.equal(allowedSkips(`TAP version 13\n${line}\n  ---\n`), count, line);
  assert.equal(allowedSkips(cases.map(([line]) => line).join('\n')), 2);
});
