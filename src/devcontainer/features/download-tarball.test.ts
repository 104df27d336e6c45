import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { downloadFile } from '../../oci/http/download.ts';
import { createTransport } from '../../oci/http/transport.ts';
import { downloadTarball } from './download-tarball.ts';
import { parseFeatureId } from './identifier.ts';

const TOKEN = 'token-of-github';

/** A server that is github.com, its API and its store of files, with one public repository and one private one. */
async function gitHub(t: TestContext) {
  const asked: string[] = [];
  const login = (request: IncomingMessage): boolean => request.headers.authorization === `Bearer ${TOKEN}`;
  const store = createServer((request, response) => {
    asked.push(`store ${request.url}`);
    // As a signed URL is refused with a login.
    response.writeHead(request.headers.authorization === undefined ? 200 : 400).end(request.url);
  });
  const server = createServer((request, response) => {
    const url = request.url!;
    asked.push(`${url}${request.headers.authorization === undefined ? '' : ' with a login'}`);
    const storeUrl = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
    const sendTo = (path: string): void =>
      void response.writeHead(302, { location: `${storeUrl}${path}` }).end();
    const [, host, owner] = /^\/(github\.com|api\.github\.com\/repos)\/(\w+)\//.exec(url) ?? [];
    const isSeen = owner === 'open' || (owner === 'closed' && host !== 'github.com' && login(request));
    // A login that is none is refused, also for what is public.
    if (host !== 'github.com' && request.headers.authorization !== undefined && !login(request))
      return void response.writeHead(401).end();
    if (!isSeen) return void response.writeHead(404).end();
    if (/\/assets\/7$/.test(url))
      return request.headers.accept === 'application/octet-stream'
        ? sendTo('/asset-7')
        : void response.end('{}');
    if (/\/releases\/(tags\/v1|latest)$/.test(url)) {
      const assets = ['other.tgz', 'f.tgz'].map((name, at) => ({
        name,
        url: `https://api.github.com/repos/${owner}/r/releases/assets/${6 + at}`,
      }));
      return void response.end(JSON.stringify({ assets }));
    }
    if (/\/releases\/(download\/v1|latest\/download)\/f\.tgz$/.test(url)) return sendTo('/file');
    if (url.endsWith('/devcontainer-feature-f.tgz')) return sendTo('/named');
    response.writeHead(404).end();
  });
  for (const one of [server, store])
    await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const transport = createTransport({});
  t.after(async () => {
    await transport.close();
    server.close();
    store.close();
  });
  const here = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const load = async (written: string, token?: string): Promise<string> => {
    const id = parseFeatureId(written, { configFile: '/w/devcontainer.json', where: {} });
    assert.ok(id.type === 'tarball');
    const bytes = await downloadTarball(id, {
      ...(token === undefined ? {} : { token }),
      download: (url, headers) =>
        downloadFile(transport, url.replace(/^https:\/\//, here), {
          ...{ limit: 10_000, headers, policy: { attempts: 1, baseDelayMs: 1, maxDelayMs: 1 } },
        }),
    });
    return bytes.toString();
  };
  return { asked, load };
}

test('a public release is had without a login, and with any; a private one with a token that may see it', async (t) => {
  const { load, asked } = await gitHub(t);
  for (const [written, token, expected] of [
    ['open/r/f@v1', undefined, '/file'],
    ['open/r/f', undefined, '/file'],
    ['open/r/f', TOKEN, '/asset-7'],
    ['open/r/f@v1', 'of-somebody-else', '/file'],
    ['closed/r/f@v1', TOKEN, '/asset-7'],
    ['closed/r/f@latest', TOKEN, '/asset-7'],
    ['https://github.com/open/r/raw/main/devcontainer-feature-f.tgz', TOKEN, '/named'],
  ] as const)
    assert.equal(await load(written, token), expected, `${written} with ${token}`);
  // What may be seen without one is asked for without one, where there is none.
  assert.deepEqual(asked.slice(0, 2), ['/github.com/open/r/releases/download/v1/f.tgz', 'store /file']);
});

test('what cannot be had says what to do, and nobody else is sent the token', async (t) => {
  const { load, asked } = await gitHub(t);
  for (const [written, token, hint] of [
    ['closed/r/f@v1', undefined, /GITHUB_TOKEN, with the right/],
    ['closed/r/f@v1', 'of-somebody-else', /what GITHUB_TOKEN may read/],
    ['open/r/missing@v1', TOKEN, /check the name/],
  ] as const)
    await assert.rejects(load(written, token), (error) => {
      assert.ok(error instanceof AppError && error.code === 'REFERENCE', String(error));
      assert.match(error.message, /cannot be had from GitHub/);
      assert.match(error.hint ?? '', hint);
      assert.doesNotMatch(
        JSON.stringify([error.message, error.hint, error.where]),
        /token-of-github|of-somebody/,
      );
      return true;
    });
  await assert.rejects(load('https://elsewhere.example/devcontainer-feature-f.tgz', TOKEN));
  assert.ok(
    asked.some((line) => line === '/elsewhere.example/devcontainer-feature-f.tgz'),
    asked.join('\n'),
  );
});
