import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type Canonical, canonicalBytes, canonicalDigest, createListDigest } from './canonical.ts';

const value = fc.letrec<{ value: Canonical }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('two values have the same bytes only when they are equal', () => {
  fc.assert(
    fc.property(value, value, (a, b) => {
      const same = canonicalBytes(a).equals(canonicalBytes(b));
      assert.equal(same, isDeepStrictEqual(normal(a), normal(b)));
    }),
    { numRuns: 2000 },
  );
});

test('a list whose items are given one by one has the digest of the list', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), (all) => {
      const list = createListDigest(all.length);
      for (const each of all) list.add(each);
      assert.equal(list.digest(), canonicalDigest(all));
    }),
    { numRuns: 200 },
  );
});

test('the order of a map does not matter, and undefined fields are absent', () => {
  assert.deepEqual(canonicalBytes({ a: 1, b: 2, c: undefined }), canonicalBytes({ b: 2, a: 1 }));
  assert.notDeepEqual(canonicalBytes({ a: null }), canonicalBytes({}));
});

test('neighbouring strings cannot be shifted into each other', () => {
  assert.notDeepEqual(canonicalBytes(['ab', 'c']), canonicalBytes(['a', 'bc']));
  assert.notDeepEqual(canonicalBytes(['1']), canonicalBytes([1]));
});

test('the bytes of a small value stay as they are: every stored key depends on them', () => {
  const bytes = canonicalBytes({ b: [true, 'x'], a: 7 }).toString('hex');
  assert.equal(
    bytes,
    [
      '0700000002',
      '040000000161',
      '030000000137',
      '040000000162',
      '0600000002',
      '0200000000',
      '040000000178',
    ].join(''),
  );
});

test('a number that is not a safe integer is refused', () => {
  assert.throws(() => canonicalBytes(1.5), RangeError);
});

/** -0 and 0 are one integer; maps compare without regard to order or prototype. */
function normal(value: Canonical): unknown {
  if (typeof value === 'number') return value + 0;
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(normal);
  return new Map(
    Object.entries(value as Record<string, Canonical>)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, normal(item)]),
  );
}
