import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE_MS, tempDir } from '../core/testing.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { moveTree } from './move-tree.ts';
import { openStaging, STAGING_NAME } from './staging.ts';

test('a link in the place of the staging directory is removed, and nothing behind it', async (t) => {
  const all = tempDir(t);
  const [outside, folder] = [join(all, 'outside'), join(all, 'workspace')];
  mkdirSync(outside);
  mkdirSync(folder);
  writeFileSync(join(outside, 'canary'), 'outside');
  for (const target of [outside, join(outside, 'canary'), 'nowhere']) {
    symlinkSync(target, join(folder, STAGING_NAME));
    const staging = await openStaging(folder, createSyscalls(), AbortSignal.timeout(PATIENCE_MS));
    assert.ok(lstatSync(join(folder, STAGING_NAME)).isDirectory());
    staging.clear();
    staging.markComplete('key');
    assert.equal(staging.isComplete('key'), true);
    staging.close();
    assert.equal(existsSync(join(folder, STAGING_NAME)), false);
  }
  assert.deepEqual(readdirSync(outside), ['canary']);
});

test('a clone moves beside the links of a workspace, and not through them', (t) => {
  const all = tempDir(t);
  const [outside, folder, clone] = [join(all, 'outside'), join(all, 'workspace'), join(all, 'clone')];
  for (const dir of [outside, folder, join(clone, '.git'), join(clone, 'dir'), join(clone, 'other')])
    mkdirSync(dir, { recursive: true });
  writeFileSync(join(outside, 'canary'), 'outside');
  for (const file of ['file', 'dir/canary', 'other/new']) writeFileSync(join(clone, file), 'clone');
  symlinkSync(outside, join(folder, 'dir'));
  symlinkSync(join(outside, 'canary'), join(folder, 'file'));
  symlinkSync(outside, join(folder, '.git'));
  assert.deepEqual([...moveTree(clone, folder)].sort(), ['dir', 'file']);
  assert.equal(readFileSync(join(folder, 'other/new'), 'utf8'), 'clone');
  assert.ok(lstatSync(join(folder, '.git')).isDirectory());
  assert.deepEqual(readdirSync(outside), ['canary']);
  assert.equal(readFileSync(join(outside, 'canary'), 'utf8'), 'outside');
});
