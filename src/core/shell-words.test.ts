import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { quoteWord, splitWords } from './shell-words.ts';

const split = (text: string): string[] => splitWords(text, 'INIT_ARGS');

describe('splitWords', () => {
  it('splits at blanks and takes quotes and escapes away', () => {
    assert.deepEqual(split(`-c 'echo "a b"; echo c'`), ['-c', 'echo "a b"; echo c']);
    assert.deepEqual(split(' a\tb\nc '), ['a', 'b', 'c']);
    assert.deepEqual(split(`a'b'"c"\\ d`), ['abc d']);
    assert.deepEqual(split(`"\\$HOME \\n \\" \\\\"`), ['$HOME \\n " \\']);
    assert.deepEqual(split(`'' ""`), ['', '']);
    assert.deepEqual(split('a\\\nb "c\\\nd"'), ['ab', 'cd']);
    assert.deepEqual(split(''), []);
  });

  it('refuses what a shell would wait for', () => {
    for (const text of [`'a`, `"a`, 'a\\', `"a\\"`]) {
      assert.throws(() => split(text), { code: 'USAGE', message: /^INIT_ARGS ends inside/ });
    }
  });

  it('reads back what quoteWord wrote', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (words) => {
        assert.deepEqual(split(words.map(quoteWord).join(' ')), words);
      }),
    );
  });

  it('agrees with sh', () => {
    const of = (...pieces: string[]) =>
      fc.array(fc.constantFrom(...pieces), { maxLength: 4 }).map((parts) => parts.join(''));
    const piece = fc.oneof(
      fc.constantFrom('a', ' ', '\t', 'b=c', '-x', '/', 'a#', '""', "''"),
      fc.constantFrom('\\a', '\\ ', '\\\\', "\\'", '\\"', '\\\n', '\\#', '\\$'),
      of('a', ' ', '"', '\\', '\n', '#', '$').map((text) => `'${text}'`),
      of('a', ' ', "'", '\\\\', '\\"', '\\$', '\\n', '\\\n', '\n', '#').map((text) => `"${text}"`),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join('');
        const out = execFileSync('sh', ['-c', `printf '%s\\0' x ${text}`], { encoding: 'utf8' });
        assert.deepEqual(['x', ...split(text)], out.split('\0').slice(0, -1));
      }),
      { numRuns: 60 },
    );
  });
});
