import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { EXIT_CODES } from '../../core/error.ts';
import { scratchDir } from '../../core/testing.ts';
import { serveRegistry } from '../../index.ts';
import { runCommand } from '../command.ts';
import { environmentRedactor } from '../run-context.ts';
import { configFile, loginCommand, logoutCommand } from './login.ts';

const PASSWORD = 'a-long-swordfish';
const basic = (user: string, password: string): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

/** Commands with a home of their own. */
function setUp(env: Readonly<Record<string, string>> = {}) {
  const home = scratchDir('login');
  const file = join(home, '.docker/config.json');
  const run = async (name: 'login' | 'logout', stdin: string, ...args: readonly string[]) => {
    let [stdout, stderr] = ['', ''];
    const context = {
      env: { HOME: home, ...env },
      cwd: home,
      signal: new AbortController().signal,
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: (text: string) => (stderr += text) },
      redactor: environmentRedactor({}),
      stdin: async () => stdin,
    };
    const body = name === 'login' ? loginCommand : logoutCommand;
    const code = await runCommand(name, ['--progress=plain', '--verbose', ...args], context, body);
    for (const text of [stdout, stderr]) assert.doesNotMatch(text, /swordfish/);
    return { code, stdout, stderr };
  };
  return { home, file, run };
}

/** A registry that asks for a password itself. */
async function passwordRegistry(t: TestContext): Promise<string> {
  const dir = scratchDir('login-registry');
  const htpasswd = join(dir, 'htpasswd');
  fs.writeFileSync(htpasswd, `me:${bcrypt.hashSync(PASSWORD, 4)}\n`);
  const registry = await serveRegistry({ dir: join(dir, 'registry'), htpasswd });
  t.after(() => registry.close());
  return new URL(registry.url).host;
}

/** A registry that has tokens made of passwords. */
async function tokenRegistry(t: TestContext): Promise<string> {
  const server = createServer(({ url = '', headers }, response) => {
    const host = headers.host ?? '';
    if (url.startsWith('/token'))
      headers.authorization === basic('me', PASSWORD)
        ? response.end('{"token":"good"}')
        : response.writeHead(401).end('{}');
    else if (headers.authorization === 'Bearer good') response.end('{}');
    else
      response
        .writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="${host}"` })
        .end('{}');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const [kind, start] of Object.entries({ password: passwordRegistry, token: tokenRegistry }))
  test(`a login is kept when the registry has taken it, and only then: ${kind}`, async (t) => {
    const host = await start(t);
    const { file, run } = setUp();
    const wrong = await run('login', 'a-wrong-swordfish\n', '-u', 'me', '--password-stdin', host);
    assert.equal(wrong.code, EXIT_CODES.AUTH.exit, wrong.stderr);
    assert.equal(fs.existsSync(file), false);
    const right = await run('login', `${PASSWORD}\r\n`, '-u', 'me', '--password-stdin', `http://${host}/v2/`);
    assert.equal(right.code, 0, right.stderr);
    assert.equal(right.stdout, `logged in to ${host} as me; the password is kept in ${file}, unencrypted\n`);
    const { auths } = JSON.parse(fs.readFileSync(file, 'utf8'));
    assert.deepEqual(auths, { [host]: { auth: basic('me', PASSWORD).slice(6) } });
    assert.equal((await run('logout', '', host)).stdout, `logged out of ${host}\n`);
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { auths: {} });
    assert.equal((await run('logout', '', host)).stdout, `${file} had no login for ${host}\n`);
  });

test('a credential helper gets a login as its protocol says', async (t) => {
  const host = await passwordRegistry(t);
  const bin = scratchDir('login-helper');
  fs.writeFileSync(
    join(bin, 'docker-credential-test'),
    '#!/bin/sh\ncat > "$HOME/$1"\n[ "$1" != get ] || echo "{}"\n',
    { mode: 0o755 },
  );
  const { home, file, run } = setUp({ PATH: `${bin}:${process.env.PATH}` });
  fs.mkdirSync(join(home, '.docker'));
  fs.writeFileSync(file, '{"credsStore":"test"}');
  const { code, stdout, stderr } = await run('login', PASSWORD, '--username=me', '--password-stdin', host);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /the password is kept by docker-credential-test\n$/);
  assert.deepEqual(JSON.parse(fs.readFileSync(join(home, 'store'), 'utf8')), {
    ServerURL: host,
    Username: 'me',
    Secret: PASSWORD,
  });
  assert.doesNotMatch(fs.readFileSync(file, 'utf8'), new RegExp(basic('me', PASSWORD).slice(6)));
  assert.equal((await run('logout', '', host)).code, 0);
  assert.equal(fs.readFileSync(join(home, 'erase'), 'utf8'), host);
});

test('a login that says too little or too much is an error of usage, and asks nobody', async () => {
  const { file, run } = setUp();
  const wrong: readonly (readonly [string, readonly string[]])[] = [
    [PASSWORD, ['--username=me', '-p', PASSWORD]],
    [PASSWORD, ['--password-stdin']],
    [PASSWORD, ['--username=me']],
    ['', ['--username=me', '--password-stdin']],
    ['\n', ['--username=me', '--password-stdin']],
    [`${PASSWORD}\nmore\n`, ['--username=me', '--password-stdin']],
    [PASSWORD, ['--username=m:e', '--password-stdin']],
    [PASSWORD, ['--username=me', '--password-stdin', 'one', 'two']],
    [PASSWORD, ['--username=me', '--password-stdin', 'no host']],
    [PASSWORD, ['--username=me', '--password-stdin', 'me:pw@r.example']],
  ];
  for (const [stdin, args] of wrong) {
    const { code, stderr } = await run('login', stdin, ...args);
    assert.equal(code, EXIT_CODES.USAGE.exit, `${args}: ${stderr}`);
  }
  assert.equal(fs.existsSync(file), false);
});

test('logins go to the config that builds read', () => {
  const dir = scratchDir('login-config');
  const file = join(dir, 'config.json');
  assert.equal(configFile({ DOCKER_CONFIG: dir }, []), file);
  assert.equal(configFile({ DOCKER_CONFIG: join(dir, 'new') }, []), join(dir, 'new/config.json'));
  assert.equal(configFile({ HOME: dir }, [join(dir, 'nothing')]), join(dir, '.docker/config.json'));
  fs.writeFileSync(file, '{}');
  assert.equal(configFile({ DOCKER_CONFIG: file }, []), file);
  assert.equal(configFile({ HOME: '/elsewhere' }, [join(dir, 'nothing'), file]), file);
  assert.throws(() => configFile({}, []), { code: 'USAGE' });
});
