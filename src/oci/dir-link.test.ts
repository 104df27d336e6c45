import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { tempDir } from '../core/testing.ts';

const ROUNDS = 600;

/** Writes, makes and removes a tag again and again, as builds do with leases, beside others that do the same. */
const SCRIPT = `
  import { workerData, parentPort } from 'node:worker_threads';
  import { createLink, placeLink, readLink, removeTag } from '${new URL('./dir-link.ts', import.meta.url)}';
  const { root, scratch, rounds } = workerData;
  const digest = 'sha256:' + 'a'.repeat(64);
  const tags = root + '/tags';
  try {
    for (let i = 0; i < rounds; i += 1) {
      const tag = 'lease-' + (i % 2);
      createLink(scratch, tags + '/' + tag + '/current/link', digest);
      placeLink(scratch, tags + '/' + tag + '/index/' + i + '/link', digest);
      placeLink(scratch, tags + '/' + tag + '/current/link', digest);
      readLink(tags + '/' + tag + '/current/link');
      removeTag({ tags }, tag);
    }
    parentPort.postMessage('done');
  } catch (error) {
    parentPort.postMessage(error.stack);
  }`;

test('links are written while others remove the directories that they lie in', async (t) => {
  const root = tempDir(t);
  const ends = ['one', 'two', 'three'].map((name) => {
    const scratch = join(root, name);
    mkdirSync(scratch);
    const source = `data:text/javascript,${encodeURIComponent(SCRIPT)}`;
    const worker = new Worker(new URL(source), { workerData: { root, scratch, rounds: ROUNDS } });
    return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  assert.deepEqual(await Promise.all(ends), ['done', 'done', 'done']);
});
