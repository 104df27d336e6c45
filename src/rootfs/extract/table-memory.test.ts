import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { entryOf, layerOf } from './testing.ts';

/** Rows of a table, the tables, and what each row may cost with its path in the tree: some 245 bytes with the heap of a young process, and a kilobyte as objects. */
const ROWS = 100_000;
const TABLES = 2;
const MOST_BYTES = 360;
/** On a loaded machine V8 collects garbage later: that only adds, so the least of some readings counts. */
const MOST_READINGS = 5;

const dir = mkdtempSync(join(tmpdir(), 'table-memory-'));
after(() => rmSync(dir, { recursive: true, force: true }));

/** A process of its own: this one has had more memory, for writing. */
const READER = `
  import { readFileSync } from 'node:fs';
  import { readToc } from '${import.meta.dirname}/../../layer/toc.ts';
  import { fileBlob } from '${import.meta.dirname}/testing.ts';
  import { applyAll, createUnion } from '${import.meta.dirname}/union.ts';
  import { planUnion } from '${import.meta.dirname}/union-plan.ts';
  const peak = () => Number(/^VmHWM:\\s*(\\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1]) * 1024;
  const before = peak();
  const layers = JSON.parse(readFileSync(process.argv[1], 'utf8'));
  const tables = await Promise.all(layers.map((layer) => readToc({ ...layer, ...fileBlob(layer.file) })));
  const union = createUnion();
  for (const { entries } of tables) applyAll(union, entries);
  const plan = planUnion(union.tree, tables.length);
  console.log(JSON.stringify({ bytes: peak() - before, leaves: plan.leaves.length, dirs: plan.dirs.length }));`;

test('rows of tables of contents take little memory each', async (t) => {
  const layers = [];
  for (let table = 0; table < TABLES; table += 1) {
    const types = ['file', 'file', 'symlink', 'dir'] as const;
    const rows = Array.from({ length: ROWS }, (_, i) => {
      const type = types[i % types.length]!;
      const path = `usr/lib/p${table}/d${Math.floor(i / 1000)}/name-${i}`;
      return entryOf(type, path, type === 'symlink' ? { linkname: `target-${i}` } : {});
    });
    const { file, size, toc } = await layerOf(dir, rows);
    assert.ok(toc);
    layers.push({ file, size, toc });
  }
  const list = join(dir, 'layers.json');
  writeFileSync(list, JSON.stringify(layers));
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', READER, list];
  let least = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < MOST_READINGS && least >= MOST_BYTES; reading += 1) {
    const { bytes, leaves, dirs } = JSON.parse(execFileSync(process.execPath, args).toString()) as Record<
      'bytes' | 'leaves' | 'dirs',
      number
    >;
    // The rows, the directories that only their paths name, and the root.
    assert.equal(leaves + dirs, ROWS * TABLES + (ROWS / 1000) * TABLES + TABLES + 3);
    least = Math.min(least, bytes / (ROWS * TABLES));
  }
  t.diagnostic(`${Math.round(least)} bytes for each row`);
  assert.ok(least < MOST_BYTES, `${least} bytes for each row`);
});
