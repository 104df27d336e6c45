import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Event } from '../../core/events.ts';
import { createRegistryClient } from './client.ts';

const POLICY = { attempts: 4, baseDelayMs: 10, maxDelayMs: 1000 };

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('a registry that has given no answer for as long as all tries take is asked once', async () => {
  const server = createServer((_, response) => response.end('{}'));
  const port = await listen(server, 0);
  server.close();
  let retries = 0;
  const client = createRegistryClient({
    retry: POLICY,
    emit: (event) => {
      if (event.type === 'retry') retries += 1;
    },
  });
  const ask = async (): Promise<number> => {
    retries = 0;
    const request = { what: 'ask', method: 'GET', path: '', scopes: [], accept: [200] } as const;
    await client.request(`127.0.0.1:${port}`, request).then(({ body }) => body.resume());
    return retries;
  };
  const refused = async (): Promise<number> => {
    await assert.rejects(ask(), { code: 'REGISTRY' });
    return retries;
  };
  assert.ok((await refused()) > 0);
  // Wait: longer than all tries of the policy.
  await sleep(100);
  assert.equal(await refused(), 0);
  await listen(server, port);
  assert.equal(await ask(), 0);
  server.closeAllConnections();
  server.close();
  assert.ok((await refused()) > 0, 'an answer makes it one that is worth waiting for');
  await client.close();
});

test('what is under way when a client is closed fails at once, and is not tried again', async () => {
  const asked = Promise.withResolvers<void>();
  const paths = new Set<string>();
  const server = createServer((request, response) => {
    if (['/v2/', '/v2/known'].includes(request.url ?? '')) return response.end('{}');
    paths.add(request.url ?? '');
    if (request.url === '/v2/body') response.write('half of it');
    if (paths.size === 3) asked.resolve();
    return undefined;
  });
  const port = await listen(server, 0);
  const events: Event[] = [];
  const client = createRegistryClient({ retry: POLICY, emit: (event) => events.push(event) });
  const registry = `127.0.0.1:${port}`;
  const ask = (path: string) =>
    client.request(registry, { what: 'ask', method: 'GET', path, scopes: [], accept: [200] });
  // Until then others wait to see whether it asks for a login.
  await ask('known').then(({ body: known }) => known.resume());
  const silent = ['one', 'two'].map((path) => assert.rejects(ask(path), { code: 'REGISTRY' }));
  const { body } = await ask('body');
  const broken = assert.rejects(body.toArray());
  await asked.promise;
  await client.close();
  await Promise.all([...silent, broken]);
  await assert.rejects(ask('late'), { code: 'REGISTRY' });
  assert.deepEqual(events, []);
  server.closeAllConnections();
  server.close();
});
