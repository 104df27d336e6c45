import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
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

test('a clone that was finished is found again, and another one gets a new name', async (t) => {
  const folder = tempDir(t);
  const spread: string[] = [];
  const sys = {
    ...createSyscalls(),
    spreadDirectories: (path: string) => spread.push(realpathSync(path)) > 0,
  };
  const open = () => openStaging(folder, sys, AbortSignal.timeout(PATIENCE_MS));
  const first = await open();
  first.clear();
  mkdirSync(first.tree);
  first.markComplete('key');
  // As a process leaves it that is ended.
  closeSync(first.lock);
  const again = await open();
  assert.equal(again.tree, first.tree);
  assert.equal(again.isComplete('key'), true);
  again.close();
  const other = await open();
  assert.notEqual(other.tree, first.tree);
  assert.equal(dirname(other.tree), dirname(first.tree));
  other.close();
  assert.deepEqual(new Set(spread), new Set([dirname(first.tree)]));
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
