import assert from 'node:assert/strict';
import { test } from 'node:test';
import { number } from './header.ts';

test('numbers end as the writers of tar end them: with NUL, a space, both in either order, or the field', () => {
  const read = (text: string): number => number(Buffer.from(text, 'latin1'), 0, text.length, 'a layer');
  for (const text of [
    '0011360\0',
    '011360 \0',
    '011360\0 ',
    ' 11360  \0',
    '00011360',
    '\x0011360 ',
    '11360\0xy',
  ])
    assert.equal(read(text), 0o11360, JSON.stringify(text));
  for (const text of ['\0\0\0\0', '    ', '']) assert.equal(read(text), 0);
  for (const text of ['0119 \0', 'x', '01 1360\0']) assert.throws(() => read(text), { code: 'CORRUPT' });
});
