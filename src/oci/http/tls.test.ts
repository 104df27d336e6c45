import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { digestOf } from '../../core/digest.ts';
import { AppError } from '../../core/error.ts';
import { tempDir } from '../../core/testing.ts';
import { createRemoteStore } from '../remote-store.ts';
import { type ClientOptions, createRegistryClient } from './client.ts';

const skip: string | false = existsSync('/usr/bin/openssl') ? false : 'openssl is not installed';
const DIGEST = digestOf('content');

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function setUp(t: TestContext) {
  const dir = tempDir(t);
  const names = 'subjectAltName=IP:127.0.0.1,DNS:r.test';
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ];
  execFileSync(
    'openssl',
    [
      ...request,
      '-subj',
      '/CN=test',
      '-addext',
      names,
      '-keyout',
      join(dir, 'key'),
      '-out',
      join(dir, 'cert'),
    ],
    { stdio: 'ignore' },
  );
  const [key, cert] = [readFileSync(join(dir, 'key')), readFileSync(join(dir, 'cert'), 'utf8')];
  const port = await listen(
    t,
    createHttpsServer({ key, cert }, (_request, response) =>
      response.writeHead(200, { 'content-length': 7 }).end(),
    ),
  );
  const has = async (registry: string, options: ClientOptions): Promise<number | undefined> => {
    const client = createRegistryClient({
      retry: { attempts: 2, baseDelayMs: 1, maxDelayMs: 2 },
      ...options,
    });
    try {
      return await createRemoteStore({ client, registry, repository: 'a/b' }).has(DIGEST);
    } finally {
      await client.close();
    }
  };
  return { dir, cert, key, port, has };
}

test('a certificate of an unknown authority is refused, with a hint', { skip }, async (t) => {
  const { port, has } = await setUp(t);
  await assert.rejects(has(`127.0.0.1:${port}`, {}), (error) => {
    assert.ok(error instanceof AppError && error.code === 'REGISTRY');
    assert.match(error.hint ?? '', /certificate authority/);
    return true;
  });
});

test('an extra authority is trusted, and with insecure any', { skip }, async (t) => {
  const { cert, port, has } = await setUp(t);
  assert.equal(await has(`127.0.0.1:${port}`, { extraCaPem: cert }), 7);
  assert.equal(await has(`127.0.0.1:${port}`, { insecure: true }), 7);
});

test('a registry of this machine that speaks plain HTTP is not asked for TLS, and one that does gets no request without', {
  skip,
}, async (t) => {
  const { cert, key, has } = await setUp(t);
  const seen: string[] = [];
  /** Notes how each connection begins: a handshake with the byte 22 (RFC 8446, 5.1), a request with its method. */
  const watched = async (server: Server, name: string): Promise<string> => {
    const port = await listen(t, server);
    const relay = createServer((socket) => {
      socket.once('data', (first) => {
        seen.push(
          `${name} ${first[0] === 22 ? 'TLS' : first.toString('latin1').split(' ').slice(0, 2).join(' ')}`,
        );
        const on = connect(port, '127.0.0.1', () => on.write(first));
        for (const end of [on, socket]) end.on('error', () => {});
        on.pipe(socket).pipe(on);
      });
    });
    return `127.0.0.1:${await listen(t, relay)}`;
  };
  const answer = (_request: unknown, response: ServerResponse): unknown =>
    response.writeHead(200, { 'content-length': 7 }).end();
  const plain = await watched(createHttpServer(answer), 'plain');
  assert.equal(await has(plain, { extraCaPem: cert }), 7);
  const secure = await watched(createHttpsServer({ key, cert }, answer), 'secure');
  assert.equal(await has(secure, { extraCaPem: cert }), 7);
  assert.deepEqual(
    new Set(seen),
    new Set(['plain GET /v2/', 'plain HEAD /v2/a/b/blobs/' + DIGEST, 'secure GET /v2/', 'secure TLS']),
  );
});

for (const status of [200, 401, 301, 403, 404, 500])
  test(`a registry of this machine that speaks plain HTTP alone is found when it answers ${status} at first`, async (t) => {
    let asked = 0;
    const server = createHttpServer((request, response) => {
      if (request.url !== '/v2/') return response.writeHead(200, { 'content-length': 7 }).end();
      asked += 1;
      return response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const client = createRegistryClient({ retry: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 } });
    t.after(() => client.close());
    const registry = `127.0.0.1:${await listen(t, server)}`;
    assert.equal(await createRemoteStore({ client, registry, repository: 'a/b' }).has(DIGEST), 7);
    assert.equal(asked, 1);
  });

test('HTTPS goes through a proxy by CONNECT', { skip }, async (t) => {
  const { cert, port, has } = await setUp(t);
  const tunnels: (string | undefined)[] = [];
  const proxy = createHttpServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url);
    const target = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    for (const end of [target, socket]) end.on('error', () => {});
  });
  const proxyPort = await listen(t, proxy);
  const settings = { https: `http://127.0.0.1:${proxyPort}` };
  assert.equal(await has('r.test', { extraCaPem: cert, proxy: settings }), 7);
  assert.deepEqual(tunnels, ['r.test:443']);
});

test('a proxy that refuses is an error with a hint', { skip }, async (t) => {
  const { cert, has } = await setUp(t);
  const proxy = createHttpServer();
  proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 No\r\n\r\n'));
  const proxyPort = await listen(t, proxy);
  await assert.rejects(
    has('r.test', { extraCaPem: cert, proxy: { https: `http://127.0.0.1:${proxyPort}` } }),
    (error) => {
      assert.ok(error instanceof AppError && error.code === 'REGISTRY');
      assert.match(error.hint ?? '', /proxy/);
      return true;
    },
  );
});

/** Docker's directory of certificates for one host. */
function certsDir(dir: string, host: string, files: Readonly<Record<string, string>>): string {
  const parent = join(dir, 'certs.d');
  mkdirSync(join(parent, host), { recursive: true });
  for (const [name, source] of Object.entries(files))
    copyFileSync(join(dir, source), join(parent, host, name));
  return parent;
}

test('an authority in a directory of certificates is trusted for its host alone', { skip }, async (t) => {
  const { dir, port, has } = await setUp(t);
  const certsDirs = [join(dir, 'none'), certsDir(dir, `127.0.0.1:${port}`, { 'ca.crt': 'cert' })];
  assert.equal(await has(`127.0.0.1:${port}`, { certsDirs }), 7);
  const other = [certsDir(join(dir), '127.0.0.1:1', { 'ca.crt': 'cert' })];
  assert.equal(await has(`127.0.0.1:${port}`, { certsDirs: other }), 7, 'the same parent has both');
  await assert.rejects(has(`127.0.0.1:${port}`, { certsDirs: [join(dir, 'none')] }));
});

test('a registry that asks for a certificate gets that of its directory', { skip }, async (t) => {
  const { dir, cert, key, has } = await setUp(t);
  const subjects: unknown[] = [];
  const server = createHttpsServer({ key, cert, ca: cert, requestCert: true }, (request, response) => {
    subjects.push((request.socket as import('node:tls').TLSSocket).getPeerCertificate().subject?.CN);
    response.writeHead(200, { 'content-length': 7 }).end();
  });
  const port = await listen(t, server);
  const host = `127.0.0.1:${port}`;
  const parent = certsDir(dir, host, { 'ca.crt': 'cert', 'client.cert': 'cert', 'client.key': 'key' });
  assert.equal(await has(host, { certsDirs: [parent] }), 7);
  assert.equal(subjects.at(-1), 'test');
  const authority = { host, authority: join(dir, 'cert') };
  const pair = { host, pair: { cert: join(dir, 'cert'), key: join(dir, 'key') } };
  assert.equal(await has(host, { hostFiles: [authority, pair] }), 7);
  assert.equal(subjects.at(-1), 'test');
  await assert.rejects(
    has(host, { hostFiles: [authority, { ...pair, host: '127.0.0.1' }] }),
    'of another host',
  );
  await assert.rejects(has(host, { extraCaPem: cert }), { code: 'REGISTRY' });
});

test('a client certificate without its key is an error that names the file', { skip }, async (t) => {
  const { dir, port, has } = await setUp(t);
  const parent = certsDir(dir, `127.0.0.1:${port}`, { 'client.cert': 'cert' });
  await assert.rejects(has(`127.0.0.1:${port}`, { certsDirs: [parent] }), /client\.cert has no \.key/);
});

test('one registry may be insecure while others are not', { skip }, async (t) => {
  const { port, has } = await setUp(t);
  const host = `127.0.0.1:${port}`;
  assert.equal(await has(host, { insecureHosts: [host] }), 7);
  await assert.rejects(has(host, { insecureHosts: ['127.0.0.1', 'other:5000'] }));
});
