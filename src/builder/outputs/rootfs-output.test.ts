import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { silent } from '../../core/events.ts';
import { tempDir } from '../../core/testing.ts';
import type { ExtractRequest } from '../../rootfs/types.ts';
import { writeRootfs } from './rootfs-output.ts';

/** What is seen while it is filled, and where. */
interface Filling {
  readonly target: string;
  readonly spread: readonly string[];
  readonly isThere: boolean;
}

async function write(path: string, failure?: Error): Promise<Filling> {
  const spread: string[] = [];
  let seen: Filling | undefined;
  await writeRootfs(path, [], {
    syscalls: { spreadDirectories: (at) => spread.push(at) > 0 },
    extract: async ({ target }: ExtractRequest) => {
      writeFileSync(join(target, 'file'), 'content');
      seen = { target, spread: [...spread], isThere: existsSync(path) };
      if (failure) throw failure;
    },
    emit: silent,
    signal: new AbortController().signal,
  });
  return seen!;
}

test('a directory that is not there comes with all that is in it, under a name that had no other before', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'deep/out');
  const targets = new Set<string>();
  for (let time = 0; time < 2; time += 1) {
    const out = `${path}${time}`;
    const { target, spread, isThere } = await write(out);
    assert.equal(isThere, false);
    assert.deepEqual(spread, [dirname(dirname(target))]);
    assert.equal(readFileSync(join(out, 'file'), 'utf8'), 'content');
    assert.equal(statSync(out).mode & 0o777, 0o777 & ~process.umask());
    targets.add(target);
  }
  assert.equal(targets.size, 2);
  assert.deepEqual(readdirSync(dirname(path)).sort(), ['out0', 'out1']);
});

test('an empty directory that is there is filled, and stays the same', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'out');
  mkdirSync(path);
  const { ino } = statSync(path);
  assert.equal((await write(path)).target, path);
  assert.equal(statSync(path).ino, ino);
  assert.deepEqual(readdirSync(dir), ['out']);
});

test('a failure leaves nothing of what it made', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'out');
  const code = 'OUTPUT';
  await assert.rejects(write(path, new Error('no')), { code, message: /cannot write the root file system/ });
  assert.deepEqual(readdirSync(dir), []);
  mkdirSync(path);
  await assert.rejects(write(path, new Error('no')), { code });
  assert.deepEqual(readdirSync(path), []);
});
