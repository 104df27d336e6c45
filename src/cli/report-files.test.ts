import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');

/** Modules that are loaded as soon as these are. */
function loadedWith(files: readonly string[]): ReadonlySet<string> {
  const loaded = new Set<string>();
  const left = [...files];
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, path] of text.matchAll(/^(?:import|export) (?!type\b)(?:[^;']* from )?'(\.[^']+)';$/gm))
      left.push(join(dirname(file), path!));
  }
  return loaded;
}

test('a build without a report loads nothing of what makes one', () => {
  const loaded = loadedWith([
    'src/cli/main.ts',
    'src/cli/dispatch.ts',
    'src/cli/commands/build.ts',
    'src/cli/commands/start.ts',
    'src/builder/build.ts',
  ]);
  assert.ok(loaded.has('src/builder/stage-runner.ts'));
  const page = [...loaded].filter((file) => /report\/page|report-files|builder\/contents/.test(file));
  assert.deepEqual(page, []);
  const asked = loadedWith(['src/cli/report-files.ts']);
  assert.ok(asked.has('src/report/page/collect.ts'));
});
