import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

/** Runs a script whose threads end before they have done anything. */
function runWithoutThreads(script: string): string {
  const preload = `import { isMainThread } from 'node:worker_threads'; if (!isMainThread) process.exit(7);`;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [
      '--no-warnings',
      `--import=data:text/javascript,${encodeURIComponent(preload)}`,
      '--input-type=module',
      '-e',
      script,
    ],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  return stdout;
}

const CATCH = '.catch((error) => console.log(error.code, error.message))';

test('a thread that unpacks and ends without a word is a failure of the layer', () => {
  const said = runWithoutThreads(`
    import { createFrameWorkers } from '${import.meta.dirname}/workers.ts';
    const target = { target: '/nowhere', privileged: false };
    const memory = new SharedArrayBuffer(64);
    const frame = { offset: 0, length: 8, tarOffset: 0, tarLength: 8, digest: 'sha256:' };
    const workers = createFrameWorkers({ target, memory, threads: true, onFailure: () => console.log('told') });
    for (const offset of [0, 8, 16])
      workers.send({ blob: {}, frame, offset, order: () => ({ frame, numbers: new Float64Array(1) }), onWritten: () => {} });
    await workers.finish()${CATCH};
    await workers.close();`);
  assert.equal(said, 'told\nINTERNAL a thread that unpacks layers ended with code 7\n');
});

test('a thread that compresses and ends without a word is a failure of the layer, then and later', () => {
  const said = runWithoutThreads(`
    import { createCompressPool } from '${import.meta.dirname}/../../layer/compress-pool.ts';
    const pool = createCompressPool({ threads: 1 });
    for (let i = 0; i < 2; i += 1) {
      const slot = await pool.take();
      await slot.compress(10, 'zstd')${CATCH};
      slot.release();
    }
    await pool.close();`);
  assert.equal(said, 'INTERNAL a thread that compresses layers ended with code 7\n'.repeat(2));
});
