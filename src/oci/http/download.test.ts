import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { downloadFile } from './download.ts';
import { createTransport } from './transport.ts';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that gives these answers in turn, and what downloads from it. */
async function setUp(t: TestContext, ...answers: Answer[]) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    (answers[seen.length - 1] ?? answers.at(-1)!)(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = createTransport({});
  t.after(async () => {
    await transport.close();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const policy = { attempts: 2, baseDelayMs: 1, maxDelayMs: 1 };
  const load = (path: string, credentials = '') =>
    downloadFile(transport, `http://${credentials}${host}${path}`, { limit: 10, policy });
  return { seen, host, load };
}

const content: Answer = (response) => void response.end('content');
const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end();

function fails(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof AppError && error.code === code && message.test(error.message);
}

test('a redirect is followed, and an answer that passes is asked for again', async (t) => {
  const redirect: Answer = (response) => void response.writeHead(302, { location: '/there' }).end();
  const { load, seen } = await setUp(t, status(503), redirect, content);
  assert.equal((await load('/here')).toString(), 'content');
  assert.deepEqual(
    seen.map(({ url }) => url),
    ['/here', '/here', '/there'],
  );
});

test('credentials of the URL are sent, and never shown', async (t) => {
  const { load, seen } = await setUp(t, content, status(403));
  await load('/x', 'me:swordfish@');
  assert.equal(seen[0]!.headers.authorization, `Basic ${Buffer.from('me:swordfish').toString('base64')}`);
  await assert.rejects(load('/x?token=swordfish', 'me:swordfish@'), (error) => {
    assert.ok(error instanceof AppError && error.code === 'AUTH');
    assert.doesNotMatch(JSON.stringify([error.message, error.hint, error.where]), /swordfish/);
    return true;
  });
});

test('what is missing, too large or broken off is an error', async (t) => {
  const missing = await setUp(t, status(404));
  await assert.rejects(missing.load('/x'), fails('REFERENCE', /answered 404/));
  const large = await setUp(t, (response) => void response.end('more than ten bytes'));
  await assert.rejects(large.load('/x'), fails('REGISTRY', /larger than 10 bytes/));
  const broken = await setUp(t, (response) => {
    response.writeHead(200, { 'content-length': '7' });
    response.write('con', () => response.destroy());
  });
  await assert.rejects(broken.load('/x'), fails('REGISTRY', /cannot download/));
  assert.equal(broken.seen.length, 2);
});
