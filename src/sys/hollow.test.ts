import assert from 'node:assert/strict';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchDir } from '../core/testing.ts';
import { isHollow } from './hollow.ts';

const GIB = 2 ** 30;
const dir = scratchDir('hollow');

test('what is nearly all holes is hollow, and what is small is not', () => {
  const path = join(dir, 'file');
  writeFileSync(path, 'data');
  for (const [size, hollow] of [
    [GIB, false],
    [4 * GIB, false],
    [5 * GIB, true],
  ] as const) {
    truncateSync(path, size);
    assert.equal(isHollow(path, statSync(path)), hollow, `${size}`);
  }
});

test('a file system that names no blocks, and cannot say where data lies, has no hollow files', () => {
  assert.equal(isHollow(`/proc/${process.pid}/status`, { size: 8 * GIB, blocks: 0 }), false);
  assert.equal(isHollow(join(dir, 'none'), { size: 8 * GIB, blocks: 0 }), false);
});
