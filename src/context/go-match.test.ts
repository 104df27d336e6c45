import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../core/error.ts';
import { goMatch, hasWildcards } from './go-match.ts';

const golden = JSON.parse(
  readFileSync(new URL('./testdata/filepath-match.json', import.meta.url), 'utf8'),
) as [string, string, 'yes' | 'no' | 'bad'][];

test('patterns match what they match in Go', () => {
  for (const [pattern, name, result] of golden) {
    const of = JSON.stringify([pattern, name]);
    if (result === 'bad') {
      assert.throws(() => goMatch(pattern, name), AppError, of);
      continue;
    }
    let mine: boolean | undefined;
    try {
      mine = goMatch(pattern, name);
    } catch (error) {
      // Go gives up at the first difference, and does not see a mistake behind it.
      assert.ok(error instanceof AppError && result === 'no', of);
      continue;
    }
    assert.equal(mine, result === 'yes', of);
  }
});

test('a name without special characters matches itself, and its escaped form matches any name', () => {
  const name = fc.stringMatching(/^[a-z.é*?[\]\\-]{0,8}$/);
  fc.assert(
    fc.property(name, name, (a, b) => {
      const escaped = a.replace(/[*?[\]\\-]/g, '\\$&');
      assert.equal(goMatch(escaped, a), true);
      assert.equal(goMatch(escaped, b), a === b);
      assert.equal(hasWildcards(escaped), false);
      assert.equal(goMatch(`${escaped}*`, a + b), true);
      assert.equal(goMatch('*', a), true);
      assert.equal(goMatch('*', `${a}/${b}`), false);
    }),
  );
});
