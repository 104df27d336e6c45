import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { awakeTimeout } from './awake-timeout.ts';
import { PATIENCE_MS } from './testing.ts';

const MS = 2000;

test('what never comes is given up', async () => {
  const signal = awakeTimeout(MS);
  const started = performance.now();
  await once(signal, 'abort', { signal: AbortSignal.timeout(PATIENCE_MS) });
  assert.equal((signal.reason as Error).name, 'TimeoutError');
  assert.ok(performance.now() - started >= MS * 0.9);
});

test('an answer that came while the process could not run is heard', async (t) => {
  const server = createServer((_, response) => response.end('an answer'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  await (await fetch(url)).text();
  const stopped = (): void => {
    // Wait: for longer than the limit, as if it got no processor.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1.1 * MS);
  };
  const response = fetch(url, { signal: awakeTimeout(MS) });
  stopped();
  assert.equal(await (await response).text(), 'an answer');
});
