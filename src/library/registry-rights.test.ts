import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import fc from 'fast-check';
import { digestOf } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { tempDir } from '../core/testing.ts';
import { MEDIA_TYPES } from '../oci/media-types.ts';
import { parseRights } from '../registry/rights.ts';
import { serve } from './registry.ts';

const may = (pattern: string, repository: string): boolean =>
  parseRights(`ann ${pattern} pull`, 'rights').of('ann').may('pull', repository);

test('a pattern fits the names that it says', () => {
  const cases: readonly [string, readonly string[], readonly string[]][] = [
    ['a', ['a'], ['b', 'a/b', 'aa']],
    ['*', ['a', 'b-c'], ['a/b']],
    ['**', ['a', 'a/b', 'a/b/c'], []],
    ['a/*', ['a/b'], ['a', 'a/b/c', 'b/a']],
    ['a/**', ['a', 'a/b', 'a/b/c'], ['ab', 'ab/c', 'b/a']],
    ['**/cache', ['cache', 'a/cache', 'a/b/cache'], ['a/cache/b', 'mycache']],
    ['a/**/z', ['a/z', 'a/b/z', 'a/b/c/z'], ['a/zz', 'z']],
    ['team-*/x', ['team-a/x', 'team-a-b/x'], ['team/x', 'team-a/b/x']],
    ['*a*b', ['ab', 'xaxb', 'aab'], ['a', 'ba', 'abx']],
    ['a.b', ['a.b'], ['axb']],
  ];
  for (const [pattern, fits, others] of cases) {
    for (const name of fits) assert.ok(may(pattern, name), `${pattern} fits ${name}`);
    for (const name of others) assert.ok(!may(pattern, name), `${pattern} does not fit ${name}`);
  }
});

test('patterns and the regular expressions that they stand for fit the same names', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b', '*'), minLength: 1, maxLength: 4 });
  const plain = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 4 });
  const pattern = fc.array(
    fc.oneof(
      part.map((text) => text.replace(/\*+/g, '*')),
      fc.constant('**'),
    ),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(pattern, fc.array(plain, { minLength: 1, maxLength: 4 }), (wanted, name) => {
      const source = wanted
        .map((each) => (each === '**' ? '(?:[^/]+/)*' : `${each.replace(/\*/g, '[^/]*')}/`))
        .join('');
      assert.equal(
        may(wanted.join('/'), name.join('/')),
        new RegExp(`^${source}$`).test(`${name.join('/')}/`),
      );
    }),
    { numRuns: 2000 },
  );
});

test('lines add up, for the users that they name', () => {
  const rights = parseRights(
    '# rights\n\nann  a/** pull,push\nann\tb pull\r\n@users shared pull\n@everybody public/* pull\nann a/x delete\n',
    'rights',
  );
  const of = (user: string | undefined) => (name: string) =>
    (['pull', 'push', 'delete'] as const).filter((right) => rights.of(user).may(right, name));
  assert.deepEqual(of('ann')('a/x'), ['pull', 'push', 'delete']);
  assert.deepEqual(of('ann')('b'), ['pull']);
  assert.deepEqual(of('ann')('shared'), ['pull']);
  assert.deepEqual(of('bob')('a/x'), []);
  assert.deepEqual(of('bob')('public/p'), ['pull']);
  assert.deepEqual(of(undefined)('shared'), []);
  assert.deepEqual(of(undefined)('public/p'), ['pull']);
  assert.ok(rights.anonymous);
  assert.ok(!parseRights('ann ** pull\n', 'rights').anonymous);
});

test('a line that means nothing is refused with its number', () => {
  const cases: readonly [string, RegExp][] = [
    ['ann **', /line 2 .* not a user, repositories and rights/],
    ['ann ** pull push', /line 2 .* not a user, repositories and rights/],
    ['ann ** read', /line 2 .* right "read"/],
    ['ann ** pull,', /line 2 .* right ""/],
    ['ann Team/x pull', /line 2 .* pattern "Team\/x"/],
    ['ann /a pull', /pattern/],
    ['ann a//b pull', /pattern/],
    ['ann a/ pull', /pattern/],
    ['ann a** pull', /pattern "a\*\*"/],
    ['ann *** pull', /pattern/],
    ['@all ** pull', /"@all", who cannot log in/],
    ['a:b ** pull', /who cannot log in/],
  ];
  for (const [line, pattern] of cases)
    assert.throws(
      () => parseRights(`# users\n${line}\n`, 'rights'),
      (error) => error instanceof AppError && error.code === 'USAGE' && pattern.test(error.message),
      line,
    );
});

const USERS = ['puller', 'pusher', 'deleter', 'nobody', 'all'] as const;
type User = (typeof USERS)[number] | undefined;
const BLOB = Buffer.from('the content of a blob');
const DIGEST = digestOf(BLOB);
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: 'application/vnd.test', digest: DIGEST, size: BLOB.length },
    layers: [],
  }),
);

async function startTenants(t: TestContext, rules: string) {
  const dir = tempDir(t);
  const [htpasswd, rights] = [join(dir, 'htpasswd'), join(dir, 'rights')];
  fs.writeFileSync(htpasswd, USERS.map((user) => `${user}:${bcrypt.hashSync(`pw ${user}`, 4)}\n`).join(''));
  fs.writeFileSync(rights, rules);
  const warnings: string[] = [];
  const { url, close } = await serve({
    dir: join(dir, 'data'),
    htpasswd,
    rights,
    onEvent: (event) => event.type === 'warning' && warnings.push(event.text),
  });
  t.after(() => close(0));
  const ask = (user: User, method: string, path: string, body?: Buffer): Promise<Response> =>
    fetch(`${url}/v2/${path}`, {
      method,
      headers: {
        ...(user === undefined
          ? {}
          : { authorization: `Basic ${Buffer.from(`${user}:pw ${user}`).toString('base64')}` }),
        'content-type': MEDIA_TYPES.ociManifest,
      },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
  const fill = async (repository: string): Promise<void> => {
    assert.equal(
      (await ask('all', 'POST', `${repository}/blobs/uploads/?digest=${DIGEST}`, BLOB)).status,
      201,
    );
    assert.equal((await ask('all', 'PUT', `${repository}/manifests/v1`, MANIFEST)).status, 201);
  };
  return { ask, fill, rights, warnings };
}

test('each request needs its right, in its repository', async (t) => {
  const { ask, fill } = await startTenants(
    t,
    'all ** pull,push,delete\npuller team/** pull\npusher team/** push\ndeleter team/** delete\n@everybody open/** pull\n',
  );
  await fill('team/a');
  await fill('other/a');
  await fill('open/a');
  const upload = new URL(
    (await ask('all', 'POST', 'team/a/blobs/uploads/')).headers.get('location')!,
    'http://host',
  ).pathname.slice('/v2/'.length);
  const MISSING = `sha256:${'0'.repeat(64)}`;
  const requests: readonly [string, string, User, Buffer?][] = [
    ['GET', 'team/a/manifests/v1', 'puller'],
    ['HEAD', 'team/a/manifests/v1', 'puller'],
    ['GET', `team/a/blobs/${DIGEST}`, 'puller'],
    ['HEAD', `team/a/blobs/${DIGEST}`, 'puller'],
    ['GET', 'team/a/tags/list', 'puller'],
    ['GET', `team/a/referrers/${DIGEST}`, 'puller'],
    ['GET', 'team/none/manifests/v1', 'puller'],
    ['PUT', 'team/a/manifests/v2', 'pusher', MANIFEST],
    ['PUT', 'team/a/manifests/lease-x', 'pusher', MANIFEST],
    ['POST', 'team/a/blobs/uploads/', 'pusher'],
    ['POST', `team/a/blobs/uploads/?digest=${DIGEST}`, 'pusher', BLOB],
    ['GET', upload, 'pusher'],
    ['PATCH', upload, 'pusher', Buffer.alloc(0)],
    ['DELETE', upload, 'pusher'],
    ['DELETE', `team/a/manifests/${MISSING}`, 'deleter'],
    ['DELETE', `team/a/blobs/${MISSING}`, 'deleter'],
  ];
  for (const [method, path, right, body] of requests) {
    const status = async (user: User, at = path): Promise<number> =>
      (await ask(user, method, at, body)).status;
    for (const user of ['puller', 'pusher', 'deleter', 'nobody'] as const)
      if (user !== right) assert.equal(await status(user), 403, `${user}: ${method} ${path}`);
    assert.equal(await status(undefined), 401, `anonymous: ${method} ${path}`);
    assert.equal(await status(right, path.replace('team/', 'other/')), 403, `${method} ${path} elsewhere`);
    const allowed = await status(right);
    assert.ok(![401, 403].includes(allowed) && allowed < 500, `${right}: ${method} ${path}: ${allowed}`);
  }
  const denied = await ask('nobody', 'GET', 'team/a/manifests/v1');
  assert.equal(((await denied.json()) as { errors: { code: string }[] }).errors[0]!.code, 'DENIED');
  const login = await ask(undefined, 'GET', 'team/a/manifests/v1');
  assert.match(login.headers.get('www-authenticate') ?? '', /^Basic /);
});

test('without a login there is what everybody may, and whoever asks whether to log in is told so', async (t) => {
  const { ask, fill } = await startTenants(t, 'all ** pull,push,delete\n@everybody open/** pull\n');
  await fill('team/a');
  await fill('open/a');
  const empty = { headers: { authorization: `Basic ${Buffer.from(':').toString('base64')}` } };
  const { url } = await ask(undefined, 'GET', 'open/a/manifests/v1');
  assert.equal((await ask(undefined, 'GET', 'open/a/manifests/v1')).status, 200);
  assert.equal((await fetch(url, empty)).status, 200);
  assert.equal((await ask(undefined, 'PUT', 'open/a/manifests/v2', MANIFEST)).status, 401);
  assert.equal((await ask(undefined, 'GET', '')).status, 401);
  const catalog = async (user: User) =>
    ((await (await ask(user, 'GET', '_catalog')).json()) as { repositories: string[] }).repositories;
  assert.deepEqual(await catalog(undefined), ['open/a']);
  assert.deepEqual(await catalog('nobody'), ['open/a']);
  assert.deepEqual(await catalog('all'), ['open/a', 'team/a']);
  const one = await ask('nobody', 'GET', '_catalog?n=1');
  assert.equal(one.headers.get('link'), null, 'what is not shown has no page');
});

test('a blob is mounted only out of repositories that can be read', async (t) => {
  const { ask, fill } = await startTenants(
    t,
    'all ** pull,push,delete\npusher mine/** pull,push\npuller mine/** pull,push\npuller theirs/** pull\n',
  );
  await fill('theirs/secret');
  const mount = async (user: User, query: string): Promise<number> =>
    (await ask(user, 'POST', `mine/${user}/blobs/uploads/?mount=${DIGEST}${query}`)).status;
  assert.equal(await mount('pusher', '&from=theirs/secret'), 202);
  assert.equal(await mount('pusher', ''), 202);
  assert.equal((await ask('pusher', 'HEAD', `mine/pusher/blobs/${DIGEST}`)).status, 404);
  assert.equal(await mount('puller', '&from=theirs/secret'), 201);
  assert.equal((await ask('all', 'DELETE', `mine/puller/blobs/${DIGEST}`)).status, 202);
  assert.equal(await mount('puller', ''), 201);
  assert.equal(await mount('all', ''), 201);
  // A manifest cannot name what the repository does not hold.
  assert.equal((await ask('pusher', 'PUT', 'mine/pusher/manifests/v1', MANIFEST)).status, 400);
});

test('rights are read again, and a file that says nothing changes nothing', async (t) => {
  const { ask, fill, rights, warnings } = await startTenants(t, 'all ** pull,push,delete\n');
  await fill('team/a');
  const status = async (): Promise<number> => (await ask('puller', 'GET', 'team/a/manifests/v1')).status;
  assert.equal(await status(), 403);
  fs.writeFileSync(rights, 'puller team/* pull\n');
  assert.equal(await status(), 200);
  fs.writeFileSync(rights, 'puller team/* everything\n');
  assert.equal(await status(), 200);
  assert.match(warnings.join('\n'), /line 1 of .* right "everything"; what it said before counts/);
  fs.rmSync(rights);
  assert.equal(await status(), 200);
  fs.writeFileSync(rights, 'puller team/* push\n');
  assert.equal(await status(), 403);
});

test('rights without users are refused', async (t) => {
  const dir = tempDir(t);
  fs.writeFileSync(join(dir, 'rights'), '');
  await assert.rejects(serve({ dir: join(dir, 'data'), rights: join(dir, 'rights') }), { code: 'USAGE' });
});
