import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { deviceNumbers, fileType, splitTime } from './file-stat.ts';

test('types are told apart', () => {
  const type = (path: string): string => fileType(lstatSync(path, { bigint: true }));
  assert.deepEqual(
    [type('/'), type('/proc/self'), type('/dev/null'), type(import.meta.filename)],
    ['dir', 'symlink', 'char', 'file'],
  );
});

test('device numbers are those that makedev(3) was given', () => {
  const number = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(number, number, (major, minor) => {
      const [a, b] = [BigInt(major), BigInt(minor)];
      const rdev =
        ((a & 0xfffff000n) << 32n) | ((b & 0xffffff00n) << 12n) | ((a & 0xfffn) << 8n) | (b & 0xffn);
      assert.deepEqual(deviceNumbers(rdev), { major, minor });
    }),
  );
  assert.deepEqual(deviceNumbers(lstatSync('/dev/null', { bigint: true }).rdev), { major: 1, minor: 3 });
});

test('a time before 1970 has whole seconds below it, too', () => {
  assert.deepEqual(splitTime(1_000_000_001n), { seconds: 1n, nanoseconds: 1n });
  assert.deepEqual(splitTime(-1n), { seconds: -1n, nanoseconds: 999_999_999n });
  assert.deepEqual(splitTime(-2_000_000_000n), { seconds: -2n, nanoseconds: 0n });
});
