import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../core/digest.ts';
import { until } from '../core/testing.ts';
import { PACE_LIMITS, type PaceLimits } from './pace.ts';
import { startTestServer } from './testing.ts';

async function open(t: TestContext, url: string): Promise<Socket & { received(): string }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  t.after(() => socket.destroy());
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await once(socket, 'connect');
  return Object.assign(socket, { received: () => text });
}

/** Sends a byte every now and then until the connection is cut. */
async function drip(socket: Socket): Promise<void> {
  while (!socket.destroyed && !socket.readableEnded) {
    socket.write('x');
    // Wait: it drips, or gets on, by a clock that is the server's too.
    await sleep(20);
  }
}

const start = (t: TestContext, limits: Partial<PaceLimits>) =>
  startTestServer(t, { paceLimits: { ...PACE_LIMITS, ...limits } });

const DOCUMENTS = {
  'a manifest': 'PUT /v2/a/manifests/x',
  'a request that reads': 'GET /v2/a/manifests/x',
  'a request for nothing that there is': 'POST /v2/nowhere',
};
for (const [what, line] of Object.entries(DOCUMENTS)) {
  test(`the body of ${what} that drips in is cut off`, async (t) => {
    const { url } = await start(t, { documentMs: 200 });
    const socket = await open(t, url);
    socket.write(`${line} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`);
    await drip(socket);
    if (line.startsWith('PUT')) assert.match(socket.received(), /^HTTP\/1.1 408 /);
  });
}

test('an upload that drips in is cut off, and one that gets on is not', async (t) => {
  const { url } = await start(t, { receiveMs: 5000, receiveBytes: 1000, documentMs: 5000 });
  const begin = async (): Promise<string> =>
    (await fetch(`${url}/v2/a/blobs/uploads/`, { method: 'POST' })).headers.get('location')!;
  const slow = await open(t, url);
  slow.write(`PATCH ${await begin()} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n`);
  await drip(slow);
  assert.match(slow.received(), /^HTTP\/1.1 408 /);

  const content = randomBytes(200_000);
  const steady = await open(t, url);
  const target = `${await begin()}?digest=${digestOf(content)}`;
  steady.write(`PUT ${target} HTTP/1.1\r\nhost: x\r\ncontent-length: ${content.length}\r\n\r\n`);
  for (let at = 0; at < content.length; at += 4000) {
    steady.write(content.subarray(at, at + 4000));
    // Wait: it drips, or gets on, by a clock that is the server's too.
    await sleep(20);
  }
  await until('it is answered', () => steady.received() !== '');
  assert.match(steady.received(), /^HTTP\/1.1 201 /);
});

test('headers that drip in are cut off', async (t) => {
  const { url } = await start(t, { headersMs: 200 });
  const socket = await open(t, url);
  socket.write('GET /v2/ HTTP/1.1\r\nhost: ');
  await drip(socket);
  assert.match(socket.received(), /^(HTTP\/1.1 408 |$)/);
});

test('an answer that nobody takes is given up', async (t) => {
  const { url } = await start(t, { sendMs: 200 });
  const content = randomBytes(64 << 20);
  const digest = digestOf(content);
  const pushed = await fetch(`${url}/v2/a/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: new Uint8Array(content),
  });
  assert.equal(pushed.status, 201);
  const socket = await open(t, url);
  socket.pause();
  socket.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nhost: x\r\n\r\n`);
  // Wait: the server's own limit is earlier on the same loop of events.
  await sleep(1500);
  socket.resume();
  await once(socket, 'close');
  assert.ok(socket.received().length < content.length, 'all of it came');
});

test('there is a most of connections', async (t) => {
  const { url } = await start(t, { connections: 2 });
  const held = [await open(t, url), await open(t, url)];
  const third = await open(t, url);
  await once(third, 'close');
  for (const socket of held) assert.ok(!socket.destroyed);
});
