import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PATIENCE_MS, tempDir } from '../core/testing.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { openWarmDirectory } from './cache-dir.ts';

const open = (dir: string) =>
  openWarmDirectory(dir, {
    layout: true,
    sys: createSyscalls(),
    signal: AbortSignal.timeout(PATIENCE_MS),
    onWait: () => {},
  });

test('links in a cache of base images lead nowhere, and a lock that is a pipe holds nobody up', async (t) => {
  const all = tempDir(t);
  const [outside, dir] = [join(all, 'outside'), join(all, 'cache')];
  mkdirSync(join(outside, '.tmp-old'), { recursive: true });
  mkdirSync(dir);
  writeFileSync(join(outside, 'canary'), 'outside');
  symlinkSync(join(outside, 'canary'), join(dir, '.warm.lock'));
  symlinkSync(outside, join(dir, '.tmp-link'));
  await assert.rejects(open(dir), { code: 'OUTPUT' });
  execFileSync('sh', ['-c', 'rm "$1" && mkfifo "$1"', 'sh', join(dir, '.warm.lock')]);
  (await open(dir)).close();
  assert.deepEqual(readdirSync(dir).sort(), ['.warm.lock', 'oci-layout']);
  assert.equal(readFileSync(join(outside, 'canary'), 'utf8'), 'outside');
  assert.deepEqual(readdirSync(outside).sort(), ['.tmp-old', 'canary']);
});
