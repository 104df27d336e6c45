import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { startService, waitUntilReady } from '../scripts/lib/service-process.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { freePort, until } from '../src/core/testing.ts';
import { prepareWorkspace } from '../src/workspace/prepare.ts';
import { cloneRequest, createRepository, recordingDeps } from '../src/workspace/testing.ts';
import type { CloneRequest } from '../src/workspace/types.ts';
import { startAuthProxy } from './support/auth-proxy.ts';
import { type GitHttpOptions, type GitHttpServer, startGitHttpServer } from './support/git-http-server.ts';
import { descendants, watchDescendants } from './support/processes.ts';
import { type SshServer, startSshServer } from './support/ssh-server.ts';

const login = { user: 'ada', password: `pw-${randomBytes(12).toString('hex')}` };
const credentials = { username: login.user, password: login.password, sshKnownHosts: [] };

let dir: string;
let repos: string;
let ssh: SshServer;
let head: string;
let old: string;
let count = 0;

before(async () => {
  dir = temporaryDir('git');
  repos = join(dir, 'repos');
  const app = createRepository(join(repos, 'app.git'));
  app.commit({ 'a.txt': 'one\n' });
  app.git('checkout', '-q', '-b', 'side');
  old = app.commit({ 'side.txt': 'x\n' });
  app.commit({ 'side.txt': 'y\n' });
  app.git('checkout', '-q', 'trunk');
  head = app.commit({ 'a.txt': 'two\n' });
  ssh = await startSshServer(join(dir, 'ssh'));
});
after(async () => {
  await ssh?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const SHARED_MEMORY = '/dev/shm';
const earlier = new Set(readdirSync(SHARED_MEMORY));

async function httpServer(t: TestContext, more: Partial<GitHttpOptions> = {}): Promise<GitHttpServer> {
  const server = await startGitHttpServer({ root: repos, ...more });
  t.after(() => server.stop());
  return server;
}

async function clone(url: string, more: Partial<CloneRequest> = {}) {
  count += 1;
  const folder = join(dir, `workspace-${count}`);
  const deps = recordingDeps();
  const done = await prepareWorkspace({ folder, clone: cloneRequest(url, more) }, deps);
  const texts = (type: string): string =>
    deps.events.flatMap((event) => (event.type === type ? JSON.stringify(event) : [])).join('\n');
  return { ...done, deps, texts, config: readFileSync(join(folder, '.git/config'), 'utf8') };
}

/** What has come to the memory file system since this file was loaded, where our programs hand over secrets. */
const inMemory = (): readonly string[] =>
  readdirSync(SHARED_MEMORY).flatMap((name) => (earlier.has(name) ? [] : [join(SHARED_MEMORY, name)]));

/** Every file below these directories that holds the text. */
function holders(text: string, ...paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) return readdirSync(path).flatMap((name) => holders(text, join(path, name)));
    return stat?.isFile() && readFileSync(path).includes(text) ? [path] : [];
  });
}

test('a private repository over HTTP: no process, file or event ever has the password', async (t) => {
  const server = await httpServer(t, { login, delayMs: 150 });
  const seen = { processes: 0, leaks: [] as string[] };
  const base64 = Buffer.from(`${login.user}:${login.password}`).toString('base64');
  const cloned = await watchDescendants(
    () => clone(`${server.origin}/app.git`, { credentials }),
    (entries) => {
      seen.processes += entries.length;
      for (const entry of entries)
        for (const secret of [login.password, base64])
          if (`${entry.arguments} ${entry.environment}`.includes(secret)) seen.leaks.push(entry.arguments);
    },
  );
  assert.equal(cloned.commit, head);
  assert.ok(seen.processes > 10);
  assert.deepEqual(seen.leaks, []);
  for (const secret of [login.password, base64]) {
    assert.deepEqual(holders(secret, cloned.folder, ...inMemory()), []);
    assert.ok(!JSON.stringify(cloned.deps.events).includes(secret));
  }
  assert.deepEqual(cloned.deps.secrets, [login.password]);
  assert.match(cloned.config, new RegExp(`url = ${server.origin}/app.git\n`));
});

test('credentials in the URL work, and are not kept; those of the options win', async (t) => {
  const server = await httpServer(t, { login });
  const at = (user: string, password: string): string =>
    `${server.origin.replace('//', `//${user}:${password}@`)}/app.git`;
  const cloned = await clone(at(login.user, login.password));
  assert.equal(cloned.commit, head);
  assert.deepEqual(holders(login.password, cloned.folder), []);
  assert.equal((await clone(at('x', 'wrong'), { credentials })).commit, head);
});

test('a token alone, as password or as name', async (t) => {
  for (const [user, password] of [
    ['', 'tok-1'],
    ['tok-2', ''],
  ] as const) {
    const server = await httpServer(t, { login: { user: user || 'x-token-auth', password } });
    const given = { ...(user && { username: user }), ...(password && { password }), sshKnownHosts: [] };
    assert.equal((await clone(`${server.origin}/app.git`, { credentials: given })).commit, head);
  }
});

test('odd characters in a password arrive as they are', async (t) => {
  const odd = { user: 'o\'n "e', password: `$(id)\`x\\%41#;='"é ` };
  const server = await httpServer(t, { login: odd });
  const given = { username: odd.user, password: `${odd.password}\n`, sshKnownHosts: [] };
  assert.equal((await clone(`${server.origin}/app.git`, { credentials: given })).commit, head);
});

test('refused credentials are AUTH, with what to set; nothing is left', async (t) => {
  const server = await httpServer(t, { login });
  await assert.rejects(clone(`${server.origin}/app.git`), {
    code: 'AUTH',
    hint: /set ENVBUILDER_GIT_USERNAME/,
  });
  assert.deepEqual(readdirSync(join(dir, `workspace-${count}`)), []);
  const wrong = { ...credentials, password: 'wrong' };
  await assert.rejects(clone(`${server.origin}/app.git`, { credentials: wrong }), {
    code: 'AUTH',
    hint: /check ENVBUILDER_GIT_USERNAME/,
  });
  const forbidding = await httpServer(t, {
    intercept: (_, response) => response.writeHead(403).end() !== undefined,
  });
  await assert.rejects(clone(`${forbidding.origin}/app.git`, { credentials }), { code: 'AUTH' });
});

test('credentials never follow a redirect to another server', async (t) => {
  const other = await httpServer(t, { login: { user: 'x', password: 'y' } });
  const server = await httpServer(t, {
    intercept: ({ url }, response) => {
      response.writeHead(302, { location: `${other.origin}${url}` }).end();
      return true;
    },
  });
  await assert.rejects(clone(`${server.origin}/app.git`, { credentials }), { code: 'AUTH' });
  assert.ok(other.requests.length > 0);
  assert.deepEqual(
    other.requests.flatMap(({ authorization }) => authorization ?? []),
    [],
  );
});

test('a private certificate authority', async (t) => {
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: dir });
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
  await openssl(...request, '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem');
  await openssl(
    ...[...request, '-subj', '/CN=git', '-addext', 'subjectAltName=IP:127.0.0.1', '-CA', 'ca.pem'],
    ...['-CAkey', 'ca.key', '-addext', 'basicConstraints=CA:FALSE', '-keyout', 'tls.key', '-out', 'tls.pem'],
  );
  const read = (name: string): string => readFileSync(at(name), 'utf8');
  const server = await httpServer(t, { login, tls: { key: read('tls.key'), cert: read('tls.pem') } });
  const url = `${server.origin}/app.git`;
  await assert.rejects(clone(url, { credentials }), {
    code: 'WORKSPACE',
    hint: /ENVBUILDER_SSL_CERT_BASE64/,
  });
  const trusting = { insecure: false, proxy: {}, extraCaPem: read('ca.pem') };
  assert.equal((await clone(url, { credentials, network: trusting })).commit, head);
  const insecure = { insecure: true, proxy: {} };
  assert.equal((await clone(url, { credentials, network: insecure })).commit, head);
});

test('proxies: the one for git alone, the usual variables, and one that asks for a password', async (t) => {
  const server = await httpServer(t);
  const proxy = await startAuthProxy({ target: `127.0.0.1:${server.port}`, forward: true, ...login });
  t.after(() => proxy.stop());
  const url = 'http://git.invalid/app.git';
  const via = `http://${login.user}:${login.password}@${proxy.host}`;
  const network = { insecure: false, proxy: {} };
  const cloned = await clone(url, { network: { ...network, proxyUrl: via } });
  assert.equal(cloned.commit, head);
  assert.deepEqual(holders(login.password, cloned.folder), []);
  assert.equal((await clone(url, { network: { ...network, proxy: { http: via } } })).commit, head);
  assert.ok(proxy.passed() > 3);
  await assert.rejects(clone(url, { network: { ...network, proxyUrl: `http://${proxy.host}` } }), {
    code: 'AUTH',
    hint: /proxy/,
  });
});

test('a server that fails for a moment is asked again, and a dead one is an error', async (t) => {
  let failures = 2;
  const server = await httpServer(t, {
    intercept: (_, response) => {
      failures -= 1;
      if (failures >= 0) response.writeHead(503).end();
      return failures >= 0;
    },
  });
  const cloned = await clone(`${server.origin}/app.git`);
  assert.equal(cloned.commit, head);
  assert.equal(cloned.deps.events.filter(({ type }) => type === 'retry').length, 2);
  const nowhere = `http://127.0.0.1:${await freePort()}/app.git`;
  await assert.rejects(clone(nowhere), { code: 'WORKSPACE', hint: /network/ });
  await assert.rejects(clone(`${server.origin}/none.git`), { code: 'WORKSPACE', hint: /check the URL/ });
});

test('a server that gives out no bare commits, as Azure DevOps', async (t) => {
  execFileSync('git', ['-C', join(repos, 'app.git'), 'config', 'uploadpack.allowAnySHA1InWant', 'false']);
  const server = await httpServer(t, {
    login,
    // Without protocol version 2, a server checks what is asked for.
    intercept: (incoming) => {
      delete incoming.headers['git-protocol'];
      return false;
    },
  });
  for (const more of [{}, { depth: 1 }, { depth: 1, singleBranch: true }])
    assert.equal((await clone(`${server.origin}/app.git#${old}`, { credentials, ...more })).commit, old);
});

test('the password reaches submodules on the same server, and no other server', async (t) => {
  const server = await httpServer(t, { login });
  const other = await httpServer(t, { login });
  for (const [name, submodule] of [
    ['with-same', '../app.git'],
    ['with-other', `${other.origin}/app.git`],
  ] as const) {
    const repository = createRepository(join(repos, `${name}.git`));
    repository.commit({ x: '' });
    writeFileSync(
      join(repository.path, '.gitmodules'),
      `[submodule "sub"]\n\tpath = sub\n\turl = ${submodule}\n`,
    );
    repository.git('update-index', '--add', '--cacheinfo', `160000,${head},sub`);
    repository.git('add', '.gitmodules');
    repository.git('commit', '-q', '-m', 'submodule');
  }
  const same = await clone(`${server.origin}/with-same.git`, { credentials });
  assert.ok(existsSync(join(same.folder, 'sub/a.txt')));
  assert.deepEqual(holders(login.password, same.folder), []);
  const withOther = await clone(`${server.origin}/with-other.git`, { credentials });
  assert.ok(!existsSync(join(withOther.folder, 'sub/a.txt')));
  assert.match(withOther.texts('warning'), /submodule sub is left out/);
  assert.deepEqual(
    other.requests.flatMap(({ authorization }) => authorization ?? []),
    [],
  );
});

test('SSH: keys as file and as text, the agent, and who is refused', async () => {
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const path = join(repos, 'app.git');
  const url = `ssh://127.0.0.1:${ssh.port}${path}`;
  const base = { username: user, sshKnownHosts: [] };
  const crlf = ssh.key.trimEnd().replaceAll('\n', '\r\n');
  for (const given of [{ sshKeyFile: ssh.keyFile }, { sshKey: ssh.key }, { sshKey: crlf }]) {
    const cloned = await clone(url, { credentials: { ...base, ...given } });
    assert.equal(cloned.commit, head);
    assert.match(cloned.texts('message'), /accepted the SSH host key \[127\.0\.0\.1\]:\d+ ssh-ed25519 /);
    assert.match(cloned.texts('warning'), /SSH host keys are not checked/);
    assert.match(cloned.config, new RegExp(`url = ssh://${user}@127`));
    assert.deepEqual(holders('OPENSSH PRIVATE KEY', cloned.folder, ...inMemory()), []);
  }
  await assert.rejects(clone(url, { credentials: { ...base, sshKeyFile: ssh.strangerFile } }), {
    code: 'AUTH',
    hint: /public key is registered/,
  });
  await assert.rejects(clone(url, { credentials: base }), { code: 'AUTH', hint: /no SSH agent/ });
  await assert.rejects(clone(url, { credentials: { ...base, sshKeyFile: '/nowhere' } }), {
    code: 'WORKSPACE',
  });
  const socket = join(dir, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
  try {
    await until('the agent listens', () => existsSync(socket));
    const withAgent = { ...base, sshAgent: socket };
    await assert.rejects(clone(url, { credentials: withAgent }), { code: 'AUTH', hint: /ssh-add/ });
    await run('ssh-add', ['-q', ssh.keyFile], { env: { SSH_AUTH_SOCK: socket } });
    assert.equal((await clone(url, { credentials: withAgent })).commit, head);
  } finally {
    agent.kill();
  }
});

test('SSH: host keys are checked against the files of known hosts, and nothing else', async () => {
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const url = `ssh://${user}@127.0.0.1:${ssh.port}${join(repos, 'app.git')}`;
  const [right, wrong] = [join(dir, 'known hosts'), join(dir, 'wrong-hosts')];
  writeFileSync(right, ssh.knownHost);
  const stranger = readFileSync(`${ssh.strangerFile}.pub`, 'utf8');
  writeFileSync(wrong, `[127.0.0.1]:${ssh.port} ${stranger}`);
  const attempt = (...sshKnownHosts: string[]) =>
    clone(url, { credentials: { sshKeyFile: ssh.keyFile, sshKnownHosts, username: user } });
  const cloned = await attempt(join(dir, 'missing'), right);
  assert.equal(cloned.commit, head);
  assert.equal(cloned.texts('warning'), '');
  await assert.rejects(attempt(wrong), {
    code: 'WORKSPACE',
    message:
      /Offending ED25519 key in \S+wrong-hosts:1; Host key for \S+ has changed and you have requested strict/,
    hint: /ask whoever runs the host.*SSH_KNOWN_HOSTS/,
  });
  await assert.rejects(attempt(join(dir, 'missing')), {
    code: 'WORKSPACE',
    message: /No ED25519 host key is known for \S+/,
    hint: /ssh-keyscan/,
  });
});

test('a process that nobody may look into, as a start is in a container, still hands its secrets to git', async (t) => {
  const server = await httpServer(t, { login });
  const source = (path: string): string => JSON.stringify(join(import.meta.dirname, '../src', path));
  const program = `
    import { hideProcess } from ${source('sys/hide-process.ts')};
    import { prepareWorkspace } from ${source('workspace/prepare.ts')};
    import { cloneRequest, recordingDeps } from ${source('workspace/testing.ts')};
    hideProcess('hidden');
    const [folder, url, credentials] = JSON.parse(process.env.ASKED);
    const done = await prepareWorkspace({ folder, clone: cloneRequest(url, { credentials }) }, recordingDeps());
    process.stdout.write(done.commit);`;
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const overSsh = { username: user, sshKey: ssh.key, sshKnownHosts: [] };
  for (const [url, given] of [
    [`${server.origin}/app.git`, credentials],
    [`ssh://127.0.0.1:${ssh.port}${join(repos, 'app.git')}`, overSsh],
  ] as const) {
    count += 1;
    const asked = JSON.stringify([join(dir, `workspace-${count}`), url, given]);
    const drop = ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'];
    const args = [...drop, process.execPath, '--input-type=module', '-e', program];
    const done = await capture('setpriv', args, { env: { ASKED: asked } });
    assert.equal(done.stdout.toString(), head, done.stderr);
  }
});

test('an address as scp writes it, with a port from nowhere, asks for the user git', async () => {
  const key = { sshKeyFile: ssh.keyFile, sshKnownHosts: [] };
  await assert.rejects(clone(`127.0.0.1:${repos}/app.git`, { credentials: key }), (error: Error) =>
    /git@127\.0\.0\.1:/.test(error.message),
  );
});

test('the git protocol', async (t) => {
  const port = await freePort();
  const args = [
    'daemon',
    '--reuseaddr',
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${repos}`,
    '--export-all',
  ];
  const daemon = startService('git', ['-c', 'safe.directory=*', ...args, repos], join(dir, 'daemon.log'));
  t.after(() => daemon.stop());
  const url = `git://127.0.0.1:${port}/app.git`;
  await waitUntilReady('git daemon', daemon, async () => {
    if ((await capture('git', ['ls-remote', url])).code !== 0) throw new Error('not yet');
  });
  assert.equal((await clone(url, { depth: 1 })).commit, head);
});

test('memory stays flat on a large repository, and progress is shown', async (t) => {
  const size = 192 * 1024 * 1024;
  const big = createRepository(join(repos, 'big.git'));
  big.git('config', 'core.compression', '0');
  big.git('config', 'core.bigFileThreshold', '1m');
  big.commit({
    blob: randomBytes(size),
    ...Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`f${i}`, `${i}`])),
  });
  const server = await httpServer(t);
  const program = `
    import { prepareWorkspace } from '${join(import.meta.dirname, '../src/workspace/prepare.ts')}';
    import { cloneRequest, recordingDeps } from '${join(import.meta.dirname, '../src/workspace/testing.ts')}';
    let shown = 0;
    const deps = { ...recordingDeps(), emit: (event) => { if (event.type === 'progress') shown += 1; } };
    await prepareWorkspace({ folder: process.argv[1], clone: cloneRequest(process.argv[2]) }, deps);
    process.stdout.write(String(shown));`;
  const folder = join(dir, 'big-clone');
  mkdirSync(folder);
  const args = ['--input-type=module', '-e', program, folder, `${server.origin}/big.git`];
  const peak = { own: 0, git: 0 };
  const done = await watchDescendants(
    () => capture(process.execPath, args),
    (entries) => {
      const own = entries.find((entry) => entry.arguments.includes('input-type'));
      if (own === undefined) return;
      peak.own = Math.max(peak.own, own.anonymous);
      const git = descendants(own.pid).reduce((sum, entry) => sum + entry.anonymous, 0);
      peak.git = Math.max(peak.git, git);
    },
    50,
  );
  assert.equal(done.code, 0, done.stderr);
  assert.equal(lstatSync(join(folder, 'blob')).size, size);
  assert.ok(Number(done.stdout) > 3, `${done.stdout} progress events`);
  const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024);
  t.diagnostic(`peak of anonymous memory: ${mib(peak.own)} MiB ours, ${mib(peak.git)} MiB git's`);
  assert.ok(peak.own > 0 && mib(peak.own) < 120, `${mib(peak.own)} MiB`);
  assert.ok(peak.git > 0 && mib(peak.git) < 100, `${mib(peak.git)} MiB`);
});
