import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { startTestServer } from './testing.ts';

/** The status and the code of the answer to a request whose target is sent as it is. */
function ask(url: string, method: string, target: string): Promise<[status: number, code: string]> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  const asked = request({ host: hostname, port, method, path: target, agent: false }, async (response) => {
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString();
    resolve([response.statusCode ?? 0, text.includes('errors') ? JSON.parse(text).errors[0].code : '']);
  });
  asked.on('error', reject).end();
  return promise;
}

const NAMES = [
  ...['a\\..\\b', '..\\..\\etc', 'a\\b', 'a/..\\b', '\\\\host\\share'],
  ...[
    '..',
    '../b',
    'a/..',
    'a/../b',
    './a',
    'a/./b',
    'a//b',
    '/a',
    'a/',
    '.a',
    'a.',
    'a..b',
    '-a',
    '_a',
    'a_',
  ],
  ...['%2e%2e', 'a%2f..%2fb', 'a%2Fb', '%2e%2e%2fb', 'a%5c..%5cb', 'a%00b', '%61', 'a%', 'a%zz'],
  ...['A', 'a/B', 'Ä', 'ä', 'a___b', 'a+b', 'a~b', 'a:b', 'a@b', 'a;b', 'a,b', 'a*b', 'a|b', 'a$b', 'a"b'],
  ...['_uploads', '_manifests', 'a/_layers', 'a/_manifests/tags'],
  ...['x'.repeat(256), 'x/'.repeat(200) + 'x', `${'x'.repeat(254)}/y`],
];

test('a name is what the client sent, and one that breaks the grammar is refused', async (t) => {
  const around = tempDir(t);
  const { url, root } = await startTestServer(t, { root: join(around, 'registry') });
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const name of NAMES) {
    // A target is bytes: what is beyond ASCII goes as UTF-8.
    const sent = Buffer.from(name, 'utf8').toString('latin1');
    const targets: [string, string][] = [
      ['GET', `/v2/${sent}/manifests/latest`],
      ['HEAD', `/v2/${sent}/blobs/${digest}`],
      ['PUT', `/v2/${sent}/manifests/latest`],
      ['POST', `/v2/${sent}/blobs/uploads/`],
      ['GET', `/v2/${sent}/tags/list`],
      ['GET', `/v2/${sent}/referrers/${digest}`],
      ['GET', `http://elsewhere.example/v2/${sent}/tags/list`],
    ];
    for (const [method, target] of targets) {
      if (/[^\x21-\xff]/.test(target)) continue;
      const [status, code] = await ask(url, method, target);
      assert.equal(status, 400, `${method} ${target}`);
      // Node's parser refuses what is beyond ASCII by itself.
      if (method !== 'HEAD' && /^[\x21-\x7e]+$/.test(target))
        assert.equal(code, 'NAME_INVALID', `${method} ${target}`);
    }
  }
  assert.deepEqual(existsSync(root) ? readdirSync(root) : [], [], 'nothing was made');
  assert.ok(
    readdirSync(around).every((name) => name === 'registry'),
    'nor beside it',
  );
});

test('so are tags, digests, uploads and sources of mounts', async (t) => {
  const { url, root } = await startTestServer(t);
  const digest = `sha256:${'0'.repeat(64)}`;
  const cases: [string, string, number][] = [
    ...['.x', '-x', '..', '%2e%2e', 'a\\b', 'a%2fb', 'x'.repeat(129), 'a+b', ''].map(
      (tag): [string, string, number] => ['GET', `/v2/a/manifests/${tag}`, 400],
    ),
    ...['sha256:', `sha256:${'A'.repeat(64)}`, `sha256:${'0'.repeat(63)}`, 'md5:00', 'sha256:../x', '..'].map(
      (text): [string, string, number] => ['GET', `/v2/a/blobs/${text}`, text.includes('/') ? 404 : 400],
    ),
    ...['..', 'x', '%2e%2e', '0'.repeat(36)].map((id): [string, string, number] => [
      'PATCH',
      `/v2/a/blobs/uploads/${id}`,
      404,
    ]),
    ['GET', '/v2/../etc/passwd', 404],
    ['GET', '//evil.example/v2/', 404],
    ['GET', '/v2/..', 404],
    ['GET', '\\v2\\', 400],
    ['OPTIONS', '*', 400],
  ];
  for (const [method, target, expected] of cases) {
    const [status] = await ask(url, method, target);
    assert.equal(status, expected, `${method} ${target}`);
  }
  for (const from of ['../b', 'a%5C..%5Cb', 'A', '..%2Fb', '/b']) {
    const [status] = await ask(url, 'POST', `/v2/a/blobs/uploads/?mount=${digest}&from=${from}`);
    assert.equal(status, 202, `a mount from ${from} is an upload instead`);
  }
  assert.deepEqual(readdirSync(root), ['docker']);
  const [status] = await ask(url, 'GET', 'http://elsewhere.example/v2/?x=1');
  assert.equal(status, 200, 'a whole URL is a target too');
});
