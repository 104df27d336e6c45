import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createTransport } from './transport.ts';

const isLoaded = (file: string): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => path.endsWith(`/undici/${file}`));

test('requests need two files of undici, and all of it only through a proxy', async (t) => {
  const server = createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const direct = createTransport({});
  const { status, body } = await direct.send({ method: 'GET', url: `http://${host}/a%20b?c=d#e` });
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  await direct.close();
  assert.deepEqual([status, Buffer.concat(parts).toString()], [200, '/a%20b?c=d']);
  assert.deepEqual([isLoaded('lib/dispatcher/agent.js'), isLoaded('index.js')], [true, false]);
  const proxied = createTransport({ proxy: { http: `http://${host}` } });
  // Whatever that server makes of it.
  await proxied.send({ method: 'GET', url: 'http://registry.invalid/' }).then(
    (answer) => answer.body.resume(),
    () => {},
  );
  await proxied.close();
  assert.equal(isLoaded('index.js'), true);
});
