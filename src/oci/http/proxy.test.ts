import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { isLoopback, proxyFor } from './proxy.ts';
import { createTransport } from './transport.ts';

const NO_PROXY =
  'a.example, .b.example,*.c.example c.internal:8080,10.0.0.0/8,fd00::/8,192.0.2.7,[2001:db8::1]:443';
const settings = { http: 'http://proxy:1', https: 'proxy:2', noProxy: NO_PROXY };

const CASES: readonly [url: string, proxy: string | undefined][] = [
  ['https://r.example', 'http://proxy:2'],
  ['http://r.example', 'http://proxy:1'],
  ['https://a.example', undefined],
  ['https://x.a.example:444', undefined],
  ['https://xa.example', 'http://proxy:2'],
  ['https://b.example', 'http://proxy:2'],
  ['https://x.b.example', undefined],
  ['https://x.c.example', undefined],
  ['http://c.internal:8080', undefined],
  ['http://c.internal', 'http://proxy:1'],
  ['https://10.1.2.3', undefined],
  ['https://11.1.2.3', 'http://proxy:2'],
  ['https://[fd00::5]', undefined],
  ['https://192.0.2.7', undefined],
  ['https://[2001:db8::1]', undefined],
  ['https://[2001:db8::1]:444', 'http://proxy:2'],
  ['https://localhost', undefined],
  ['http://127.0.0.9:5000', undefined],
  ['http://[::ffff:127.0.0.9]:5000', undefined],
  ['http://[::ffff:128.0.0.9]:5000', 'http://proxy:1'],
];

for (const [url, proxy] of CASES) {
  test(`${url} goes ${proxy ? `through ${proxy}` : 'directly'}`, () =>
    assert.equal(proxyFor(new URL(url), settings), proxy));
}

test('without settings, and with *, everything is direct', () => {
  assert.equal(proxyFor(new URL('https://r.example'), {}), undefined);
  assert.equal(proxyFor(new URL('https://r.example'), { ...settings, noProxy: '*' }), undefined);
});

test('loopback hosts', () => {
  for (const host of ['localhost', '127.3.2.1', '[::1]', '::1']) assert.ok(isLoopback(host), host);
  for (const host of ['127.example', 'localhost.example', '10.0.0.1']) assert.ok(!isLoopback(host), host);
});

test('a request goes through the proxy, with the credentials of its URL', async (t) => {
  const seen: (string | undefined)[][] = [];
  const server = createServer((request, response) => {
    seen.push([request.url, request.headers['proxy-authorization']]);
    response.end('through');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const transport = createTransport({ proxy: { http: `http://me:secret@127.0.0.1:${port}` } });
  t.after(async () => {
    await transport.close();
    server.close();
  });
  const response = await transport.send({ method: 'GET', url: 'http://r.example/v2/' });
  response.body.resume();
  assert.equal(response.status, 200);
  assert.deepEqual(seen, [['http://r.example/v2/', `Basic ${Buffer.from('me:secret').toString('base64')}`]]);
});
