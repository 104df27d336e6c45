import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { bytesSource } from '../blob-source.ts';
import { createRemoteStore } from '../remote-store.ts';
import { collect, fail } from '../testing/fake-registry.ts';
import { openFakeStore } from '../testing/fake-store.ts';
import { createRegistryClient } from './client.ts';
import { answerError } from './errors.ts';
import type { Credential } from './types.ts';

const CONTENT = Buffer.from('content');

interface TokenServer {
  readonly url: string;
  readonly seen: {
    method: string;
    query: URLSearchParams;
    authorization: string | undefined;
    body: string;
  }[];
  /** Tokens that the registry accepts. */
  readonly valid: Set<string>;
}

async function startTokenServer(
  t: TestContext,
  answer = (_request: IncomingMessage): number => 200,
): Promise<TokenServer> {
  const seen: TokenServer['seen'] = [];
  const valid = new Set<string>();
  const server = createServer(async (request, response) => {
    const body = (await collect(request)).toString();
    const query = new URL(request.url ?? '', 'http://x').searchParams;
    seen.push({ method: request.method ?? '', query, authorization: request.headers.authorization, body });
    const status = answer(request);
    const token = `token-${seen.length}`;
    if (status === 200) valid.add(token);
    response
      .writeHead(status)
      .end(JSON.stringify(status === 200 ? { token, expires_in: 300 } : { details: 'no' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`, seen, valid };
}

async function setUp(
  t: TestContext,
  credential?: Credential,
  tokenStatus?: (request: IncomingMessage) => number,
) {
  const { registry, store } = await openFakeStore(t, credential ? { credential } : {});
  const tokens = await startTokenServer(t, tokenStatus);
  registry.faults.push((seen, response) => {
    if (tokens.valid.has(String(seen.headers.authorization).replace('Bearer ', ''))) return false;
    fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer realm="${tokens.url}",service="svc"` });
    return true;
  });
  return { registry, tokens, store };
}

test('many requests at once share one token, and one request learns how', async (t) => {
  const { registry, tokens, store } = await setUp(t, { username: 'me', password: 'secret' });
  const digest = registry.addBlob(CONTENT);
  await Promise.all(Array.from({ length: 20 }, () => store.has(digest)));
  assert.equal(tokens.seen.length, 1);
  assert.equal(tokens.seen[0]?.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
  assert.equal(tokens.seen[0]?.query.get('scope'), 'repository:a/b:pull');
  assert.equal(tokens.seen[0]?.query.get('service'), 'svc');
  assert.equal(
    registry.seen.filter(({ path, headers }) => path !== '/v2/' && !headers.authorization).length,
    1,
  );
});

test('a push asks for the right to push once, and reads with the same token', async (t) => {
  const { tokens, store } = await setUp(t);
  await store.put(bytesSource(CONTENT));
  assert.equal((await collect(await store.get(digestOf(CONTENT)))).toString(), 'content');
  assert.deepEqual(
    tokens.seen.map(({ query }) => query.get('scope')),
    ['repository:a/b:pull,push'],
  );
});

test('an anonymous token is asked for without credentials', async (t) => {
  const { registry, tokens, store } = await setUp(t);
  assert.equal(await store.has(registry.addBlob(CONTENT)), CONTENT.length);
  assert.equal(tokens.seen[0]?.authorization, undefined);
});

test('a token that expires in the middle is replaced once for all', async (t) => {
  const { registry, tokens, store } = await setUp(t);
  const digest = registry.addBlob(CONTENT);
  await store.has(digest);
  tokens.valid.clear();
  // Wait: times of tokens are told apart by milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all(Array.from({ length: 8 }, () => store.has(digest)));
  assert.equal(tokens.seen.length, 2);
});

test('when all tokens are revoked, no request tries each of them', async (t) => {
  const { registry, tokens, store } = await setUp(t);
  const client = createRegistryClient();
  t.after(client.close);
  const digest = registry.addBlob(CONTENT);
  const ask = (actions: string) =>
    client.request(registry.host, {
      method: 'GET',
      path: `a/b/blobs/${digest}`,
      scopes: [`repository:a/b:${actions}`],
      accept: [200],
      what: 'test',
    });
  // Each of them serves a pull.
  for (const actions of ['pull', 'pull,push', 'delete,pull', 'delete,pull,push'])
    await collect((await ask(actions)).body);
  assert.equal(tokens.valid.size, 4);
  tokens.valid.clear();
  // Wait: times of tokens are told apart by milliseconds.
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok((await collect((await ask('pull')).body)).equals(CONTENT));
  assert.equal(tokens.seen.length, 5);
  assert.equal(await store.has(digest), CONTENT.length);
});

test('a token that is refused at once is an AUTH error, not a loop', async (t) => {
  const { registry, tokens, store } = await setUp(t);
  const digest = registry.addBlob(CONTENT);
  tokens.valid.add = () => tokens.valid;
  await assert.rejects(store.has(digest), (error) => error instanceof AppError && error.code === 'AUTH');
  assert.equal(tokens.seen.length, 2, 'one more is tried, since a token can be revoked at any time');
});

test('an identity token is exchanged by POST', async (t) => {
  const { registry, tokens, store } = await setUp(t, { identityToken: 'refresh me' });
  await store.has(registry.addBlob(CONTENT));
  const form = new URLSearchParams(tokens.seen[0]?.body);
  assert.equal(tokens.seen[0]?.method, 'POST');
  assert.equal(form.get('grant_type'), 'refresh_token');
  assert.equal(form.get('refresh_token'), 'refresh me');
  assert.equal(form.get('scope'), 'repository:a/b:pull');
});

test('a registry token is sent as it is', async (t) => {
  const { registry, tokens, store } = await setUp(t, { registryToken: 'mine' });
  tokens.valid.add('mine');
  await store.has(registry.addBlob(CONTENT));
  assert.equal(tokens.seen.length, 0);
});

test('refused credentials are an AUTH error that does not show them', async (t) => {
  const { registry, store } = await setUp(
    t,
    { username: 'me', password: 'secret', from: '/root/.docker/config.json' },
    () => 401,
  );
  await assert.rejects(store.has(registry.addBlob(CONTENT)), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.code, 'AUTH');
    assert.match(error.hint ?? '', /password.*, from \/root\/\.docker\/config\.json$/);
    assert.ok(!JSON.stringify([error.message, error.hint, error.where]).includes('secret'));
    return true;
  });
});

test('a token server that fails for a while is asked again', async (t) => {
  let calls = 0;
  const { registry, store } = await setUp(t, undefined, () => {
    calls += 1;
    return calls < 3 ? 503 : 200;
  });
  assert.equal(await store.has(registry.addBlob(CONTENT)), CONTENT.length);
  assert.equal(calls, 3);
});

test('basic authorisation', async (t) => {
  const { registry, store } = await openFakeStore(t, { credential: { username: 'me', password: 'pä:ss' } });
  const wanted = `Basic ${Buffer.from('me:pä:ss').toString('base64')}`;
  registry.faults.push((seen, response) => {
    if (seen.headers.authorization === wanted) return false;
    fail(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="x"' });
    return true;
  });
  const digest = registry.addBlob(CONTENT);
  assert.equal(await store.has(digest), CONTENT.length);
  const anonymous = createRemoteStore({
    client: createRegistryClient(),
    registry: registry.host,
    repository: 'a/b',
  });
  await assert.rejects(anonymous.has(digest), (error) => error instanceof AppError && error.code === 'AUTH');
});

test('an answer that refuses a login says where the login came from', async () => {
  const hintOf = async (status: number, from?: string): Promise<string | undefined> => {
    const response = { status, headers: {}, url: 'https://r.example/v2/', body: Readable.from([]) };
    return (await answerError('push', 'r.example', response, { from })).hint;
  };
  const from = '/root/.docker/config.json';
  for (const status of [401, 403])
    assert.match(
      (await hintOf(status, from)) ?? '',
      /the login that was refused came from \/root\/.docker\/config.json$/,
    );
  assert.doesNotMatch((await hintOf(401)) ?? '', /came from/);
  assert.doesNotMatch((await hintOf(404, from)) ?? '', /came from/);
});
