import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeLoaderDirectories, changePaths } from './relocate.ts';

test('whole strings are replaced wherever they stand, parts of longer ones are not', () => {
  const bytes = Buffer.from('a\0/etc/x\0/etc/x/y\0/etc/x\0');
  changePaths(bytes, { '/etc/x': '/o' });
  assert.equal(bytes.toString(), 'a\0/o\0\0\0\0\0/etc/x/y\0/o\0\0\0\0\0');
});

test('a string that is missing, or too short for its replacement, is an error', () => {
  assert.throws(() => changePaths(Buffer.from('\0/etc/x\0'), { '/etc/z': '/o' }), /is not there/);
  assert.throws(() => changePaths(Buffer.from('\0/o\0'), { '/o': '/longer' }), /is longer/);
});

test('directories of the loader keep their lengths', () => {
  const old = '\x16/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0';
  const bytes = Buffer.from(old);
  changeLoaderDirectories(bytes, 'x86_64-linux-gnu');
  const paths = bytes.subarray(1).toString().split('\0');
  assert.deepEqual(
    paths.map((path) => path.length),
    [22, 26, 5, 9, 0],
  );
  assert.deepEqual(
    paths.slice(0, 4).map((path) => path.replace(/\/+$/, '')),
    ['/.envbuilder/lib', '/.envbuilder/lib', '/dev', '/dev'],
  );
  assert.throws(
    () => changeLoaderDirectories(Buffer.from('other'), 'x86_64-linux-gnu'),
    /other system directories/,
  );
});
