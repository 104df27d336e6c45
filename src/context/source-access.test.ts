import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETWORK_LIMITS } from '../core/network-limits.ts';
import { tempDir } from '../core/testing.ts';
import { checkoutGit, resolveGitCommit } from './add-git.ts';
import { fetchUrl, headUrl } from './add-url.ts';
import { gitAuthorization, urlAuthorization } from './source-access.ts';
import { givenAccess } from './testing.ts';

const COMMIT = '1'.repeat(40);

interface Server {
  readonly origin: string;
  readonly host: string;
  readonly seen: { readonly url: string; readonly authorization: string | undefined }[];
}

async function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const seen: Server['seen'][number][] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin: `http://${host}`, host, seen };
}

const line = (text: string): string => (text.length + 4).toString(16).padStart(4, '0') + text;

/** The references of a repository with one branch, as git's smart protocol says them. */
function advertise(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
  const refs = `${COMMIT} HEAD\0symref=HEAD:refs/heads/main\n`;
  response.end(
    `${line('# service=git-upload-pack\n')}0000${line(refs)}${line(`${COMMIT} refs/heads/main\n`)}0000`,
  );
}

const refuse = (response: ServerResponse): void =>
  void response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();

const basic = (token: string): string => `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`;

test('secrets of git by their names, the most exact and the header first', async (t) => {
  const of = async (remote: string, secrets: Record<string, string>) =>
    (await gitAuthorization(remote, givenAccess(t, secrets)))?.header;
  const all = {
    'GIT_AUTH_HEADER.git.example': 'Bearer h1',
    'GIT_AUTH_TOKEN.git.example': 't1',
    GIT_AUTH_HEADER: 'Bearer h2',
    GIT_AUTH_TOKEN: 't2',
  };
  const remote = 'https://git.example/a/b.git';
  const order = [
    ['GIT_AUTH_HEADER.git.example', 'Bearer h1'],
    ['GIT_AUTH_TOKEN.git.example', basic('t1')],
    ['GIT_AUTH_HEADER', 'Bearer h2'],
    ['GIT_AUTH_TOKEN', basic('t2')],
  ] as const;
  const left: Record<string, string> = { ...all };
  for (const [name, expected] of order) {
    assert.equal(await of(remote, left), expected);
    delete left[name];
  }
  assert.equal(await of(remote, left), undefined);
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['https://git.example:8443/a.git', { 'GIT_AUTH_TOKEN.git.example:8443': 'p' }, basic('p')],
    ['https://git.example:8443/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, undefined],
    ['https://Git.Example/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, basic('p')],
    ['https://user@git.example/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, basic('p')],
    ['https://other.example/git.example/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, undefined],
    ['https://git.example.evil/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, undefined],
    ['https://git.example@evil/a.git', { 'GIT_AUTH_TOKEN.git.example': 'p' }, undefined],
    [remote, { GIT_AUTH_TOKEN: 'with a newline\n' }, basic('with a newline')],
    ['git@git.example:a/b.git', all, undefined],
    ['ssh://git@git.example/a/b.git', all, undefined],
    ['git://git.example/a/b.git', all, undefined],
  ];
  for (const [address, secrets, expected] of cases)
    assert.equal(await of(address, secrets), expected, `${address} ${Object.keys(secrets)}`);
  for (const bad of ['', '\n', 'a\nb', 'a\r\nX-Other: b', 'ä', 'a\0b'])
    await assert.rejects(of(remote, { GIT_AUTH_TOKEN: bad }), { code: 'USAGE' }, JSON.stringify(bad));
});

test('secrets of downloads by their names', async (t) => {
  const cases: [string, Record<string, string>, string | undefined][] = [
    ['https://dl.example/f', { 'HTTP_AUTH_TOKEN_dl.example': 't' }, 'Bearer t'],
    ['https://dl.example:8443/f', { 'HTTP_AUTH_TOKEN_dl.example': 't' }, 'Bearer t'],
    ['https://dl.example/f', { 'HTTP_AUTH_HEADER_dl.example': 'Basic eA==' }, 'Basic eA=='],
    [
      'https://dl.example/f',
      { 'HTTP_AUTH_HEADER_dl.example': 'h', 'HTTP_AUTH_TOKEN_dl.example': 't' },
      'Bearer t',
    ],
    ['https://DL.example/f', { 'HTTP_AUTH_TOKEN_dl.example': 't' }, 'Bearer t'],
    ['https://[::1]:80/f', { 'HTTP_AUTH_TOKEN_::1': 't' }, 'Bearer t'],
    ['https://other.example/f', { 'HTTP_AUTH_TOKEN_dl.example': 't' }, undefined],
    ['https://dl.example@evil.example/f', { 'HTTP_AUTH_TOKEN_dl.example': 't' }, undefined],
    ['https://dl.example/f', { HTTP_AUTH_TOKEN: 't', GIT_AUTH_TOKEN: 't' }, undefined],
  ];
  for (const [url, secrets, expected] of cases)
    assert.equal(await urlAuthorization(url, givenAccess(t, secrets)), expected, url);
});

test('git sends the header to the repository, and to no address that it redirects to', async (t) => {
  const other = await serve(t, (_request, response) => advertise(response));
  const server = await serve(t, (request, response) => {
    if (request.headers.authorization !== basic('tok')) refuse(response);
    else if (request.url?.startsWith('/moved')) {
      response.writeHead(302, { location: `${other.origin}${request.url}` }).end();
    } else advertise(response);
  });
  const access = givenAccess(t, { [`GIT_AUTH_TOKEN.${server.host}`]: 'tok' });
  assert.deepEqual(await resolveGitCommit(`${server.origin}/a.git`, access), { commit: COMMIT });
  await assert.rejects(resolveGitCommit(`${server.origin}/moved.git`, access), {
    code: 'CONTEXT',
    hint: /redirects/,
  });
  assert.deepEqual(
    other.seen.filter(({ authorization }) => authorization !== undefined),
    [],
  );
  const nobody = givenAccess(t, { [`GIT_AUTH_TOKEN.${other.host}`]: 'tok' });
  await assert.rejects(resolveGitCommit(`${server.origin}/a.git`, nobody), {
    code: 'CONTEXT',
    hint: /GIT_AUTH_TOKEN/,
  });
});

test('a download sends the header to its host, and to no address that it redirects to', async (t) => {
  const other = await serve(t, (_request, response) => void response.end('moved'));
  const server = await serve(t, (request, response) => {
    if (request.headers.authorization !== 'Bearer tok') refuse(response);
    else if (request.url === '/away') response.writeHead(302, { location: `${other.origin}/x` }).end();
    else if (request.url === '/near') response.writeHead(302, { location: '/file' }).end();
    else response.end('content');
  });
  const access = givenAccess(t, { 'HTTP_AUTH_TOKEN_127.0.0.1': 'tok' });
  const targetDir = tempDir(t);
  for (const path of ['/file', '/near']) {
    const { file } = await fetchUrl(server.origin + path, { targetDir, access });
    assert.equal(readFileSync(file, 'utf8'), 'content');
    assert.ok(await headUrl(server.origin + path, access));
  }
  const { file } = await fetchUrl(`${server.origin}/away`, { targetDir, access });
  assert.equal(readFileSync(file, 'utf8'), 'moved');
  assert.deepEqual(
    other.seen.map(({ authorization }) => authorization),
    [undefined],
  );
  // The secret wins over a login in the address, which is what there is without it.
  const address = `http://user:pass@${server.host}/file`;
  assert.ok(await fetchUrl(address, { targetDir, access }));
  await assert.rejects(fetchUrl(address, { targetDir, access: givenAccess(t) }), {
    code: 'CONTEXT',
    hint: /HTTP_AUTH/,
  });
});

/** A home whose every setting leaves a trace, or says where git would go. */
function hostileHome(t: TestContext, canary: string): string {
  const home = tempDir(t);
  const touch = (name: string): string => `touch ${join(canary, name)}`;
  const hook = (dir: string, name: string): void => {
    mkdirSync(join(home, dir), { recursive: true });
    writeFileSync(join(home, dir, name), `#!/bin/sh\n${touch(`${dir.replaceAll('/', '-')}-${name}`)}\n`);
    chmodSync(join(home, dir, name), 0o755);
  };
  for (const name of ['post-checkout', 'reference-transaction', 'post-index-change']) {
    hook('hooks', name);
    hook('templates/hooks', name);
  }
  hook('bin', 'askpass');
  writeFileSync(
    join(home, '.gitconfig'),
    `[credential]\n\thelper = "!${touch('helper')}; echo username=u; echo password=p"
[core]\n\taskPass = ${home}/bin/askpass\n\thooksPath = ${home}/hooks\n\tsshCommand = ${touch('ssh-command')}
\tfsmonitor = "${touch('fsmonitor')}"\n\tgitProxy = ${home}/bin/askpass
[init]\n\ttemplateDir = ${home}/templates\n[http]\n\textraHeader = X-Host: told\n\tcookieFile = ${home}/cookies
[filter "x"]\n\tsmudge = "${touch('smudge')}; cat"\n[user]\n\tname = told\n`,
  );
  writeFileSync(join(home, '.netrc'), 'default login netrc password told\n', { mode: 0o600 });
  mkdirSync(join(home, '.ssh'));
  writeFileSync(join(home, '.ssh/config'), `Host *\n\tProxyCommand ${touch('ssh-config')}\n`);
  mkdirSync(join(home, '.config/git'), { recursive: true });
  writeFileSync(join(home, '.config/git/config'), `[credential]\n\thelper = "!${touch('xdg-helper')}"\n`);
  writeFileSync(join(home, '.config/git/credentials'), 'http://u:p@127.0.0.1\n');
  return home;
}

test('git sees nothing of the machine and its user but what the build was given', async (t) => {
  const canary = tempDir(t);
  const home = hostileHome(t, canary);
  const agent = join(home, 'agent');
  let asked = 0;
  const socket = createTcpServer((connection) => {
    asked += 1;
    connection.destroy();
  });
  await new Promise<void>((resolve) => socket.listen(agent, resolve));
  t.after(() => socket.close());
  const set = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    GIT_ASKPASS: join(home, 'bin/askpass'),
    SSH_ASKPASS: join(home, 'bin/askpass'),
    SSH_ASKPASS_REQUIRE: 'force',
    SSH_AUTH_SOCK: agent,
    DISPLAY: ':0',
    GIT_SSH_COMMAND: `touch ${join(canary, 'env-ssh')}`,
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_CONFIG_SYSTEM: join(home, '.gitconfig'),
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'credential.helper',
    GIT_CONFIG_VALUE_0: `!touch ${join(canary, 'env-helper')}`,
    GIT_TEMPLATE_DIR: join(home, 'templates'),
    GIT_TRACE_CURL: join(canary, 'trace'),
  };
  const before = Object.fromEntries(Object.keys(set).map((name) => [name, process.env[name]]));
  Object.assign(process.env, set);
  t.after(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  const access = givenAccess(t);
  const server = await serve(t, (request, response) => {
    assert.equal(request.headers['x-host'], undefined);
    refuse(response);
  });
  await assert.rejects(resolveGitCommit(`${server.origin}/private.git`, access), { code: 'CONTEXT' });
  assert.ok(server.seen.length > 0);
  for (const { authorization } of server.seen) assert.equal(authorization, undefined);
  await assert.rejects(resolveGitCommit('git@127.0.0.1:a.git', access), { code: 'CONTEXT' });
  await assert.rejects(resolveGitCommit('ssh://git@127.0.0.1:9/a.git', access), { code: 'CONTEXT' });
  assert.equal(asked, 0, 'the agent was asked');

  const origin = join(tempDir(t), 'origin.git');
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', GIT_TEMPLATE_DIR: '' },
    });
  git('init', '-q', origin);
  writeFileSync(join(origin, '.gitattributes'), '* filter=x\n');
  mkdirSync(join(origin, 'inside'));
  writeFileSync(join(origin, 'inside/file'), 'content\n');
  const odd = Buffer.from('/odd\xff', 'latin1');
  writeFileSync(Buffer.concat([Buffer.from(origin), odd]), 'bytes\n');
  symlinkSync('/etc', join(origin, 'outside'));
  symlinkSync('../../../../../../etc', join(origin, 'inside/up'));
  git('-C', origin, 'add', '.');
  git('-C', origin, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-m', 'x');
  const commit = git('-C', origin, 'rev-parse', 'HEAD').trim();
  const checkout = async (subdir: string, keepGitDir: boolean): Promise<string> => {
    const target = join(tempDir(t), 'out');
    await checkoutGit(`file://${origin}#${commit}:${subdir}`, commit, target, { keepGitDir, access });
    return target;
  };
  const whole = await checkout('', true);
  assert.equal(readFileSync(join(whole, 'inside/file'), 'utf8'), 'content\n');
  assert.equal(readFileSync(Buffer.concat([Buffer.from(whole), odd]), 'utf8'), 'bytes\n');
  assert.ok(!existsSync(join(whole, '.git/hooks')), 'templates of the machine are in the repository');
  assert.doesNotMatch(readFileSync(join(whole, '.git/config'), 'utf8'), /told|helper/);
  const passwd = readFileSync('/etc/passwd', 'utf8');
  for (const subdir of ['outside', 'inside/up', 'nowhere', 'inside/file'])
    await assert.rejects(checkout(subdir, false), { code: 'CONTEXT', message: /has no directory/ }, subdir);
  assert.equal(readFileSync('/etc/passwd', 'utf8'), passwd);
  assert.deepEqual(readdirSync(canary), []);
});

test('a download that drips is given up, and one of which nothing comes', async (t) => {
  const limits = { ...NETWORK_LIMITS, documentMs: 150, answerMs: 300, windowMs: 150, windowBytes: 5000 };
  const server = await serve(t, async (request, response) => {
    if (request.url === '/silent') return;
    response.writeHead(200, { 'content-length': 1_000_000 });
    if (request.method === 'HEAD') return void response.end();
    while (!response.destroyed) {
      response.write('x');
      // Wait: the server drips.
      await sleep(10);
    }
  });
  const access = givenAccess(t, {}, limits);
  const targetDir = tempDir(t);
  for (const path of ['/drip', '/silent'])
    await assert.rejects(fetchUrl(server.origin + path, { targetDir, access }), { code: 'CONTEXT' }, path);
  assert.equal(await headUrl(`${server.origin}/silent`, access), undefined);
  assert.deepEqual(readdirSync(targetDir), []);
});
