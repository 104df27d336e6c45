import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { removePrefix, removeSuffix, replacePattern } from './shell-pattern.ts';

const fail = (message: string): never => {
  throw new Error(message);
};
const value = fc.string({ unit: fc.constantFrom('a', 'b', '\u{1f426}'), maxLength: 9 });
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 6 });

/** The same by backtracking, which is right as long as it is small. */
const regExp = (text: string, flags = ''): RegExp =>
  new RegExp(text.replaceAll('?', '.').replaceAll('*', '.*'), `su${flags}`);
const parts = (text: string): [string, string][] => {
  const chars = Array.from(text);
  return Array.from({ length: chars.length + 1 }, (_, at) => [
    chars.slice(0, at).join(''),
    chars.slice(at).join(''),
  ]);
};

test('prefixes and suffixes are found as by trying all of them', () => {
  fc.assert(
    fc.property(value, pattern, fc.boolean(), (text, glob, longest) => {
      const whole = new RegExp(`^(?:${regExp(glob).source})$`, 'su');
      const prefixes = parts(text).filter(([head]) => whole.test(head));
      const suffixes = parts(text).filter(([, tail]) => whole.test(tail));
      const prefix = longest ? prefixes.at(-1) : prefixes[0];
      const suffix = longest ? suffixes[0] : suffixes.at(-1);
      assert.equal(removePrefix(text, glob, longest, fail), prefix ? prefix[1] : text);
      assert.equal(removeSuffix(text, glob, longest, fail), suffix ? suffix[0] : text);
    }),
  );
});

test('matches are replaced as a regular expression does, but for an empty one right behind another', () => {
  fc.assert(
    fc.property(value, pattern, (text, glob) => {
      assert.equal(
        replacePattern(text, glob, '<$&>', false, fail),
        text.replace(regExp(glob), () => '<$&>'),
      );
      let end = -1;
      const expected = text.replace(regExp(glob, 'g'), (found: string, at: number) => {
        const behind = found === '' && at === end;
        end = at + found.length;
        return behind ? '' : '<>';
      });
      assert.equal(replacePattern(text, glob, '<>', true, fail), expected);
    }),
  );
});

test('a pattern that backtracking takes years for is answered', () => {
  const text = 'a'.repeat(2000);
  const glob = `${'*a'.repeat(40)}b`;
  assert.equal(removePrefix(text, glob, true, fail), text);
  assert.equal(removeSuffix(text, `b${'a*'.repeat(40)}`, true, fail), text);
  assert.equal(replacePattern(text, glob, 'x', true, fail), text);
  assert.equal(replacePattern(text, '*a', 'x', true, fail), 'x');
});
