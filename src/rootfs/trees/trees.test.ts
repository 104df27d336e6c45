import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../core/events.ts';
import { tempDir } from '../../core/testing.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { createStageTrees } from './trees.ts';

test('no tree has the name of an earlier one, and the directory of all tells ext4 to place them apart', async (t) => {
  const dir = tempDir(t);
  const version = { number: 1, layers: async () => [] };
  const names: string[] = [];
  for (let process = 0; process < 3; process += 1) {
    const spread: string[] = [];
    const trees = createStageTrees({
      dir,
      syscalls: { ...createSyscalls(), spreadDirectories: (path) => spread.push(path) > 0 },
      extract: async () => assert.fail('there are no layers'),
      emit: silent,
      signal: new AbortController().signal,
    });
    assert.deepEqual(spread, [dir]);
    const made = [await trees.fresh(version), await trees.taken(version, false)];
    for (const tree of made) {
      assert.equal(dirname(tree.dir), dir);
      names.push(basename(tree.dir));
      trees.remove(tree);
    }
  }
  assert.equal(new Set(names).size, 6);
  assert.deepEqual(readdirSync(dir), []);
});
