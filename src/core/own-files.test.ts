import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ENTRY_POINTS, type EntryPoint, entryPoint, packageFile } from './own-files.ts';

const src = join(import.meta.dirname, '..');

test('every entry point is a file of the sources', () => {
  for (const [name, path] of Object.entries(ENTRY_POINTS)) {
    assert.equal(fileURLToPath(entryPoint(name as EntryPoint)), join(src, '..', path));
    assert.ok(existsSync(entryPoint(name as EntryPoint)), path);
  }
  assert.match(readFileSync(packageFile(), 'utf8'), /"name": "envbuilder"/);
});

test('no other module asks where it lies: in the bundle it lies elsewhere', () => {
  const files = globSync('**/*.{ts,js}', { cwd: src }).filter((file) => !file.endsWith('.test.ts'));
  const asking = files.filter((file) => /\bimport\.meta\b/.test(readFileSync(join(src, file), 'utf8')));
  assert.deepEqual(asking.sort(), ['cli/bin.js', 'cli/entry.js', 'core/own-files.ts']);
});
