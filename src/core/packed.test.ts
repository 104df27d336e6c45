import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createKeyedHash } from './keyed-hash.ts';
import { createPackedRows, createPackedTexts, createRowIndex } from './packed.ts';

test('rows keep what they were given, over many parts', () => {
  const rows = createPackedRows(3);
  for (let i = 0; i < 20_000; i += 1) {
    assert.equal(rows.add(), i);
    for (let word = 0; word < 3; word += 1) {
      assert.equal(rows.get(i, word), 0);
      rows.set(i, word, i * 7 + word - 5);
    }
  }
  assert.equal(rows.count, 20_000);
  for (let i = 0; i < 20_000; i += 1) assert.equal(rows.get(i, 2), (i * 7 - 3) >>> 0);
});

test('a word is what it was set to last, among neighbours that have none', () => {
  const rows = createPackedRows(2);
  for (let i = 0; i < 10_000; i += 1) rows.add();
  rows.set(5000, 1, 0);
  rows.set(5000, 1, 7);
  assert.deepEqual(
    [rows.get(5000, 1), rows.get(5000, 0), rows.get(4999, 1), rows.get(9999, 1)],
    [7, 0, 0, 0],
  );
  rows.set(5000, 1, 0);
  assert.equal(rows.get(5000, 1), 0);
});

test('an index finds rows by the words that they begin with, and the last of several', () => {
  const rows = createPackedRows(4);
  const index = createRowIndex(rows, 3);
  const known = new Map<string, number>();
  const begin = (i: number): number[] => [i % 2 === 0 ? 0 : 0xffffffff, i % 3, i % 701];
  for (let i = 0; i < 9000; i += 1) {
    const row = rows.add();
    for (const [at, value] of [...begin(i), i].entries()) rows.set(row, at, value);
    index.add(row);
    known.set(begin(i).join(' '), row);
  }
  assert.ok(known.size > 2000 && known.size < 9000, String(known.size));
  for (let i = 0; i < 12_000; i += 1) {
    const words = begin(i);
    assert.equal(index.find(Uint32Array.of(7, ...words), 1), known.get(words.join(' ')));
  }
  assert.equal(index.find(Uint32Array.of(1, 2, 3), 0), undefined);
});

test('texts come back as they were, lone surrogates too, and are told from each other', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ maxLength: 30 }),
    fc.array(fc.constantFrom('a', 'ä', 'ü', '\udc80', '\udcff', '€', '\0')).map((parts) => parts.join('')),
    fc.constantFrom('', 'x'.repeat(32_767), 'é'.repeat(4095), '€'.repeat(32_767)),
  );
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), (all) => {
      const texts = createPackedTexts();
      const places = all.map((each) => texts.add(each));
      for (const [i, place] of places.entries()) {
        assert.equal(texts.get(place), all[i]);
        for (const other of all) assert.equal(texts.is(place, other), other === all[i]);
      }
    }),
    { numRuns: 40 },
  );
});

test('a hash depends on its key, its number and each unit of the text', () => {
  const hash = createKeyedHash();
  const other = createKeyedHash();
  const all = ['', 'a', 'b', 'ab', 'ba', 'a\0', 'aa', 'aaa', '€', '\udc80', 'x'.repeat(300)];
  const seen = new Set<number>();
  for (const each of all) {
    for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      assert.equal(hash(seed, each), hash(seed, each));
      seen.add(hash(seed, each));
      seen.add(other(seed, each));
    }
  }
  // One of these many falls together with another once in some hundred thousand runs; three never do.
  assert.ok(seen.size >= all.length * 8 - 2, `${seen.size}`);
});

test('hashes of names that follow each other fill a table evenly', () => {
  const hash = createKeyedHash();
  const slots = new Uint32Array(4096);
  for (let i = 0; i < 65_536; i += 1) slots[hash(7, `file-${i}`) & 4095]! += 1;
  // Sixteen on the average, with a deviation of four.
  assert.ok(Math.max(...slots) < 60, `${Math.max(...slots)}`);
});
