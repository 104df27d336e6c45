import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../src/core/testing.ts';
import { brokenPromises } from './check-promises.ts';

test('a promise whose test is not there is found, and no other', (t) => {
  const root = tempDir(t);
  const write = (name: string, text: string): void => writeFileSync(join(root, name), text);
  const filledIn = `test(\`nothing escapes: ${'$'}{form}\`, () => {});`;
  write('a.test.ts', `test('it\\'s (kept)', () => {});\n${filledIn}\ntest(\n  'far', f);`);
  const promise = (name: string, file = 'a.test.ts'): string => `| p | [a](${file}): "${name}" |\n`;
  const good = [promise("it's (kept)"), promise('nothing escapes: tar'), promise('far')].join('');
  write('page.md', good);
  assert.deepEqual(brokenPromises(root, 'page.md'), []);
  write('page.md', good + promise('it is kept') + promise('escapes: tar') + promise('x', 'b.test.ts'));
  assert.deepEqual(brokenPromises(root, 'page.md'), [
    'page.md: a.test.ts has no test "it is kept"',
    'page.md: a.test.ts has no test "escapes: tar"',
    'page.md: there is no b.test.ts for "x"',
  ]);
  write('page.md', 'we promise');
  assert.deepEqual(brokenPromises(root, 'page.md'), ['page.md names no test']);
});
