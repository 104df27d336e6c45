import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratchDir } from '../core/testing.ts';
import { realPathOf, streamPlainFile } from './plain.ts';

const dir = realPathOf(scratchDir('plain'));

test('a stream has the bytes of its part, of an empty file and an empty part too', async () => {
  const file = join(dir, 'file');
  const part = fc.record({
    size: fc.nat({ max: 9 }),
    start: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
    length: fc.option(fc.nat({ max: 12 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(part, async ({ size, start, length }) => {
      const bytes = Buffer.from('0123456789'.slice(0, size));
      writeFileSync(file, bytes);
      const from = start ?? 0;
      const options = {
        ...(start === undefined ? {} : { start }),
        ...(length === undefined ? {} : { length }),
      };
      assert.deepEqual(
        await buffer(streamPlainFile(file, options)),
        bytes.subarray(from, length === undefined ? undefined : from + length),
      );
    }),
  );
});

test('whatever the part, what is no file is refused', () => {
  for (const options of [{}, { length: 0 }, { start: 1, length: 1 }]) {
    assert.throws(() => streamPlainFile(dir, options), { code: 'EISDIR' });
    assert.throws(() => streamPlainFile(join(dir, 'none'), options), { code: 'ENOENT' });
  }
});
