import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLintOptions } from '../lint/options.ts';
import { csvFields, parseDuration, parseGoBool, parseSize, parseUnsigned } from './values.ts';

test('sizes are powers of 1024', () => {
  const cases = {
    '0': 0,
    '100': 100,
    '32b': 32,
    '1k': 1024,
    '64M': 67108864,
    '1.5GiB': 1610612736,
    '2 kb': 2048,
    '.5k': 512,
  };
  for (const [text, bytes] of Object.entries(cases)) assert.equal(parseSize(text), bytes, text);
  for (const text of ['', 'k', '-1', '1x', '1ib', '1kk', '1  k'])
    assert.equal(parseSize(text), undefined, text);
});

test('durations are nanoseconds', () => {
  const cases = {
    '0': 0,
    '1ns': 1,
    '2us': 2e3,
    '3µs': 3e3,
    '500ms': 5e8,
    '1.5h': 54e11,
    '1m30s': 9e10,
    '-1s': -1e9,
  };
  for (const [text, ns] of Object.entries(cases)) assert.equal(parseDuration(text), ns, text);
  for (const text of ['', '1', 's', '1 s', '1d', '1s ']) assert.equal(parseDuration(text), undefined, text);
});

test('booleans and numbers are read as Go reads them', () => {
  assert.deepEqual(['1', 't', 'TRUE', '0', 'F', 'yes', ''].map(parseGoBool), [
    true,
    true,
    true,
    false,
    false,
    undefined,
    undefined,
  ]);
  assert.equal(parseUnsigned('0755', 8), 0o755);
  assert.equal(parseUnsigned('8', 8), undefined);
  assert.equal(parseUnsigned('4294967295', 10), 4294967295);
  assert.equal(parseUnsigned('4294967296', 10), undefined);
  assert.equal(parseUnsigned('-1', 10), undefined);
});

test('comma-separated values', () => {
  assert.deepEqual(csvFields('a,b=c,"d,""e",'), ['a', 'b=c', 'd,"e', '']);
  assert.deepEqual(csvFields(''), ['']);
  for (const text of ['a"b', '"a', '"a"b']) assert.equal(csvFields(text), undefined, text);
});

test('check directives', () => {
  assert.deepEqual(parseLintOptions('skip=A,B;error=true a remark'), {
    skip: new Set(['A', 'B']),
    experimental: new Set(),
    error: true,
  });
  assert.deepEqual(parseLintOptions('skip=all'), {
    skip: 'all',
    experimental: new Set(),
    error: false,
  });
  assert.deepEqual(parseLintOptions('experimental=all'), {
    skip: new Set(),
    experimental: 'all',
    error: false,
  });
  for (const text of ['skip', 'x=y', 'error=maybe', 'skip=A;'])
    assert.equal(typeof parseLintOptions(text), 'string', text);
});
