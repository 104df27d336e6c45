import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../core/testing.ts';
import { type CoderLogs, createCoderLogs } from './coder-logs.ts';

interface Call {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: {
    readonly id?: string;
    readonly display_name?: string;
    readonly log_source_id?: string;
    readonly logs?: readonly {
      readonly created_at: string;
      readonly level: string;
      readonly output: string;
    }[];
  };
}

/**
 * A Coder server that writes down what it is asked.
 * @param answer a status; `reset` to break the connection; undefined to never answer
 */
async function recordingServer(
  t: TestContext,
  answer: (call: Call, index: number) => number | 'reset' | undefined = ({ method }) =>
    method === 'POST' ? 201 : 200,
) {
  const calls: Call[] = [];
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const call: Call = {
      method: request.method ?? '',
      path: request.url ?? '',
      token: String(request.headers['coder-session-token']),
      body: JSON.parse(text),
    };
    const status = answer(call, calls.push(call) - 1);
    if (status === 'reset') request.socket.destroy();
    else if (status !== undefined) response.writeHead(status).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const logs = (): string[] =>
    calls.flatMap(({ body }) => body.logs ?? []).map(({ level, output }) => `${level} ${output}`);
  return { url, calls, logs };
}

/** Its patience at the end is without an end, unless something else is said. */
const open = (url: string, wait: (ms: number) => Promise<unknown> = () => new Promise(() => {})): CoderLogs =>
  createCoderLogs({ url, token: 'agent-token', transport: {}, wait });

test('lines go to the agent API in batches, from a source of our own', async (t) => {
  const { url, calls, logs } = await recordingServer(t);
  const coder = open(`${url}/`);
  for (let i = 0; i < 600; i += 1) coder.line(i === 3 ? 'error' : 'info', `line ${i}`);
  await coder.close();
  const [first, ...later] = calls.map(({ method, path }) => `${method} ${path}`);
  assert.equal(first, 'POST /api/v2/workspaceagents/me/log-source');
  assert.deepEqual([...new Set(later)], ['PATCH /api/v2/workspaceagents/me/logs']);
  // A batch that is answered late is sent again.
  const sizes = calls.slice(1).map(({ body }) => body.logs!.length);
  assert.ok(Math.max(...sizes) === 250 && sizes.length >= 3 && sizes.length < 60, `${sizes}`);
  assert.ok(calls.every(({ token }) => token === 'agent-token'));
  assert.equal(calls[0]!.body.display_name, 'envbuilder');
  assert.ok(calls.slice(1).every(({ body }) => body.log_source_id === calls[0]!.body.id));
  assert.deepEqual(logs()[3], 'error line 3');
  assert.equal(new Set(logs()).size, 600);
  assert.match(calls[1]!.body.logs![0]!.created_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('lines arrive while the program runs', async (t) => {
  const { url, logs } = await recordingServer(t);
  const coder = open(url);
  coder.line('info', 'early');
  await until('the line is there', () => logs().length > 0);
  assert.deepEqual(logs(), ['info early']);
  coder.line('info', 'late');
  await coder.close();
  assert.deepEqual(logs(), ['info early', 'info late']);
  coder.line('info', 'after the end');
});

test('what the server cannot take is cut and cleaned', async (t) => {
  const { url, calls } = await recordingServer(t);
  const coder = open(url);
  coder.line('info', `a\0b${'ä'.repeat(1500)}`);
  coder.line('info', '');
  coder.line('info', 'x\ud800');
  await coder.close();
  const outputs = calls[1]!.body.logs!.map(({ output }) => output);
  assert.deepEqual(
    outputs.map((text) => text.length),
    [1024, 479, 0, 2],
  );
  assert.ok(outputs[0]!.startsWith('a\ufffdb'));
});

test('an older server without log sources takes logs all the same', async (t) => {
  const { url, calls, logs } = await recordingServer(t, ({ method }) => (method === 'POST' ? 404 : 200));
  const coder = open(url);
  coder.line('warn', 'x');
  await coder.close();
  assert.deepEqual(logs(), ['warn x']);
  assert.equal(calls[1]!.body.log_source_id, undefined);
});

test('a token that is not valid yet is tried again', async (t) => {
  const { url, logs } = await recordingServer(t, ({ method }, i) =>
    i < 1 ? 401 : method === 'POST' ? 201 : 200,
  );
  const coder = open(url);
  coder.line('info', 'x');
  await until('the line is there', () => logs().length > 0);
  assert.deepEqual(logs(), ['info x']);
  await coder.close();
});

test('a full log ends it, a refused batch does not', async (t) => {
  const { url, logs, calls } = await recordingServer(t, ({ method, body }) => {
    if (method === 'POST') return 201;
    return body.logs?.[0]?.output === 'bad' ? 400 : body.logs?.[0]?.output === 'last' ? 413 : 200;
  });
  const coder = open(url);
  for (const text of ['bad', 'good', 'last']) {
    coder.line('info', text);
    await until(`${text} is there`, () => logs().includes(`info ${text}`));
  }
  coder.line('info', 'never');
  await coder.close();
  assert.deepEqual(logs(), ['info bad', 'info good', 'info last']);
  assert.equal(calls.length, 4);
});

test('it stops at what the server keeps of a log', async (t) => {
  const { url, logs } = await recordingServer(t);
  const coder = open(url);
  for (let i = 0; i < 1200; i += 1) coder.line('info', 'x'.repeat(1024));
  await coder.close();
  assert.equal(logs().length, 1024);
});

test('a server that is down does not delay the end', async (t) => {
  const { url, calls } = await recordingServer(t, () => 'reset');
  const waited: number[] = [];
  const coder = open(url, async (ms) => waited.push(ms));
  coder.line('info', 'x');
  await until('it is asked again', () => calls.length > 1);
  await coder.close();
  assert.deepEqual(waited, [0]);
});

test('a server that never answers delays it for a moment only', async (t) => {
  const { url, calls } = await recordingServer(t, () => undefined);
  const waited: number[] = [];
  const coder = open(url, async (ms) => waited.push(ms));
  coder.line('info', 'x');
  await until('it is asked', () => calls.length > 0);
  await coder.close();
  assert.deepEqual(waited, [500]);
});

test('an address that is none is no reason to fail', async () => {
  const coder = open('not a url', async () => {});
  coder.line('info', 'x');
  await coder.close();
});

test('the program does not end before close does', () => {
  const script = `
    import { createCoderLogs } from '${new URL('./coder-logs.ts', import.meta.url).href}';
    const logs = createCoderLogs({ url: 'http://127.0.0.1:9', token: 'x', transport: {} });
    logs.line('info', 'x');
    logs.close().then(() => console.log('closed'));
  `;
  const args = ['--input-type=module', '-e', script];
  assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), 'closed\n');
});
