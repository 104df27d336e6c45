import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { parseAge, parseSize } from './quantities.ts';

test('time spans and sizes as people write them', () => {
  assert.equal(parseAge('30d', '--x'), 2_592_000_000);
  assert.equal(parseAge('1.5h', '--x'), 5_400_000);
  assert.equal(parseAge('0s', '--x'), 0);
  assert.equal(parseSize('50GB', '--x'), 50e9);
  assert.equal(parseSize('512 MiB', '--x'), 536_870_912);
  assert.equal(parseSize('1k', '--x'), 1000);
  assert.equal(parseSize('7', '--x'), 7);
  const usage = (error: unknown) => error instanceof AppError && error.code === 'USAGE';
  for (const text of ['', '30', 'd', '-1d', '3y']) assert.throws(() => parseAge(text, '--x'), usage, text);
  for (const text of ['', 'GB', '-1', '3XB']) assert.throws(() => parseSize(text, '--x'), usage, text);
});
