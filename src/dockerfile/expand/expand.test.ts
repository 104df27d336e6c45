import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../core/error.ts';
import { expandHeredoc, expandWord, expandWords, variablesIn } from './expand.ts';

const VALUES: Readonly<Record<string, string>> = {
  set: 'value',
  empty: '',
  two: 'one two',
  file: 'archive.tar.gz',
  path: '/usr/local/bin',
  glob: 'a*b?c',
  nested: 'set',
};

const lookup = (name: string): string | undefined => VALUES[name];

/** Word, what it becomes; undefined where it is an error. */
const WORDS: readonly [string, string | undefined][] = [
  ['plain', 'plain'],
  ['$set', 'value'],
  [`\${set}s`, 'values'],
  ['$sets', ''],
  ['$set-$set', 'value-value'],
  ['$', '$'],
  ['a$', 'a$'],
  ['$$', ''],
  ['$1x', 'x'],
  ['$@', ''],
  ['\\$set', '$set'],
  ['\\\\', '\\'],
  ['trailing\\', 'trailing'],
  ['a\\ b', 'a b'],
  [`'$set'`, '$set'],
  [`'a\\'`, 'a\\'],
  ['"$set"', 'value'],
  ['"a \\" \\$ \\\\ \\n"', 'a " $ \\ \\n'],
  [`"it's"`, "it's"],
  [`a"b c"'d e'`, 'ab cd e'],
  ['""', ''],
  ['$two', 'one two'],
  [`\${set:-x}`, 'value'],
  [`\${empty:-x}`, 'x'],
  [`\${empty-x}`, ''],
  [`\${unset-x}`, 'x'],
  [`\${unset:-$set}`, 'value'],
  [`\${unset:-\${other:-deep}}`, 'deep'],
  [`\${unset:-"quoted }"}`, 'quoted }'],
  [`\${unset:-a\\}b}`, 'a}b'],
  [`\${set:+x}`, 'x'],
  [`\${empty:+x}`, ''],
  [`\${empty+x}`, 'x'],
  [`\${unset+x}`, ''],
  [`\${set:?no}`, 'value'],
  [`\${empty?no}`, ''],
  [`\${empty:?no}`, undefined],
  [`\${unset?no}`, undefined],
  [`\${file#*.}`, 'tar.gz'],
  [`\${file##*.}`, 'gz'],
  [`\${file%.*}`, 'archive.tar'],
  [`\${file%%.*}`, 'archive'],
  [`\${file#nothing}`, 'archive.tar.gz'],
  [`\${file#a?c}`, 'hive.tar.gz'],
  [`\${glob#a\\*b\\?}`, 'c'],
  [`\${path/\\/local/}`, '/usr/bin'],
  [`\${path//\\//-}`, '-usr-local-bin'],
  [`\${file/a/A}`, 'Archive.tar.gz'],
  [`\${file//a/A}`, 'Archive.tAr.gz'],
  [`\${two//*/x}`, 'x'],
  [`\${file/ar*e/$set}`, 'value.tar.gz'],
  [`\${set//+/x}`, 'value'],
  [`\${unset#x}`, ''],
  [`\${set`, undefined],
  [`\${}`, undefined],
  [`\${:x}`, undefined],
  [`\${set:x}`, undefined],
  [`\${set:#x}`, undefined],
  [`\${set^}`, undefined],
  [`\${set/a}`, undefined],
  [`\${set#\\x}`, undefined],
  [`"open`, undefined],
  [`'open`, undefined],
  ['a<b', 'a<b'],
  ['grün$set😀', 'grünvalue😀'],
];

describe('expandWord', () => {
  for (const [word, expected] of WORDS) {
    test(`${word} → ${expected ?? 'error'}`, () => {
      if (expected !== undefined) assert.equal(expandWord(word, lookup, '\\', {}), expected);
      else assert.throws(() => expandWord(word, lookup, '\\', {}), { name: 'AppError', code: 'DOCKERFILE' });
    });
  }

  test('the escape directive changes the escape character', () => {
    assert.equal(expandWord('C:\\x`$set', lookup, '`', {}), 'C:\\x$set');
  });

  test('an error points at the word on its line', () => {
    const range = { file: 'D', start: { line: 3, column: 1 }, end: { line: 3, column: 20 } };
    const where = { range, sourceLine: `WORKDIR /\${set^}/x` };
    assert.throws(
      () => expandWord(`/\${set^}/x`, lookup, '\\', where),
      (error: AppError) => error.where?.range?.start.column === 9 && error.where.range.end.column === 19,
    );
  });

  test('the message behind :? is shown', () => {
    assert.throws(() => expandWord(`\${V:?give $set}`, lookup, '\\', {}), /V: give value/);
  });

  test('text without $, quotes and escapes stays as it is', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !/["'$\\]/.test(text));
    fc.assert(fc.property(word, (text) => expandWord(text, lookup, '\\', {}) === text));
  });

  test('single quotes keep any text but single quotes', () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes("'"));
    fc.assert(fc.property(word, (text) => expandWord(`'${text}'`, lookup, '\\', {}) === text));
  });

  test('any text expands or is an AppError', () => {
    const word = fc
      .array(fc.constantFrom(...'$', '{', '}', ...':-+?#%/"\'\\a*<> ', 'set', 'empty'))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(word, (text) => {
        try {
          expandWord(text, lookup, '\\', {});
          expandWords(text, lookup, '\\', {});
        } catch (error) {
          assert.ok(error instanceof AppError, String(error));
        }
      }),
    );
  });
});

test('expandWords splits what was not quoted', () => {
  const words = (word: string): string[] => expandWords(word, lookup, '\\', {});
  assert.deepEqual(words('$two'), ['one', 'two']);
  assert.deepEqual(words('"$two" x'), ['one two', 'x']);
  assert.deepEqual(words('a$two'), ['aone', 'two']);
  assert.deepEqual(words('a\\ b'), ['a b']);
  assert.deepEqual(words(`80\${unset:-81} ""`), ['8081']);
  assert.deepEqual(words('$empty'), []);
});

test('a word may be nested as deep as it likes', () => {
  const depth = 50_000;
  const nested = (open: string, inner: string, close: string): string =>
    open.repeat(depth) + inner + close.repeat(depth);
  const expand = (word: string): string => expandWord(word, lookup, '\\', {});
  assert.equal(expand(nested(`\${unset:-`, '$set', '}')), 'value');
  assert.equal(expand(nested(`\${set+"`, 'x', '"}')), 'x');
  assert.throws(() => expand(nested(`"\${unset-`, '', '')), { code: 'DOCKERFILE' });
});

test('expandHeredoc keeps quotes and takes backslashes as escapes', () => {
  const content = `a "$set" '$set' \\$set\n<<x\n`;
  assert.equal(expandHeredoc(content, lookup, {}), `a "value" 'value' $set\n<<x\n`);
});

test('variablesIn names every variable once, nested ones too, even in a word that cannot be expanded', () => {
  assert.deepEqual(variablesIn(`$a \${b:-$c} '$d' \\$e "\${a}" \${f:?x}`, '\\'), ['a', 'c', 'b', 'f']);
  assert.deepEqual(variablesIn(`$a \${b^}`, '\\'), ['a']);
  assert.deepEqual(variablesIn('plain', '\\'), []);
});
