import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { comparePaths, decodePath, encodePath, fsPath } from './path-bytes.ts';

const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));

test('any bytes survive the round trip', () => {
  fc.assert(
    fc.property(bytes, (raw) => assert.deepEqual(encodePath(decodePath(raw)), raw)),
    { numRuns: 3000 },
  );
});

test('ordinary names stay ordinary strings', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      assert.equal(decodePath(Buffer.from(name)), name);
      assert.equal(fsPath(name), name);
    }),
  );
});

test('the order is that of the bytes', () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      assert.equal(Math.sign(comparePaths(decodePath(a), decodePath(b))), Math.sign(Buffer.compare(a, b)));
    }),
    { numRuns: 3000 },
  );
});

test('a name that is not UTF-8 reaches the file system as its bytes', () => {
  assert.deepEqual(fsPath(decodePath(Buffer.from([0x66, 0xff, 0x6f]))), Buffer.from([0x66, 0xff, 0x6f]));
});
