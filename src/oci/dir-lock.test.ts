import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { createDirectoryLock } from './dir-lock.ts';

const MODULE = new URL('./dir-lock.ts', import.meta.url).pathname;

/** A process that holds a lock until it is killed. */
async function holder(root: string, mode: 'shared' | 'exclusive') {
  const script = `
    import { createDirectoryLock } from '${MODULE}';
    await createDirectoryLock(process.argv[1]).${mode}(() => {
      process.stdout.write('held');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('shared holders do not wait for each other, an exclusive one waits for them, and a kill ends a lock', async (t) => {
  const root = tempDir(t);
  const lock = createDirectoryLock(root);
  const reader = await holder(root, 'shared');
  t.after(() => reader.kill('SIGKILL'));
  assert.equal(await lock.shared(() => 1), 1);
  let done = false;
  const waiting = lock.exclusive(() => {
    done = true;
  });
  // Wait: that it goes on waiting has no event.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(done, false);
  reader.kill('SIGKILL');
  await waiting;
  const remover = await holder(root, 'exclusive');
  const shared = lock.shared(() => 'shared');
  // Wait: that it goes on waiting has no event.
  const first = await Promise.race([shared, new Promise((resolve) => setTimeout(resolve, 100, 'waits'))]);
  assert.equal(first, 'waits');
  remover.kill('SIGKILL');
  assert.equal(await shared, 'shared');
});

test('a directory that is not there can be read without a lock, and not collected', async (t) => {
  const lock = createDirectoryLock(`${tempDir(t)}/none`);
  assert.equal(await lock.shared((collection) => collection ?? 2), 2);
  await lock.beginCollection();
  await assert.rejects(
    lock.exclusive(() => 3),
    { code: 'CACHE_DIR' },
  );
});
