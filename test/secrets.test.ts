import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createRepository } from '../src/workspace/testing.ts';
import { type AuthProxy, startAuthProxy } from './support/auth-proxy.ts';
import type { CliResult } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { around, find, holders } from './support/find-token.ts';
import { startGitHttpServer } from './support/git-http-server.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'http']);

const progressModes = ['plain', 'json'] as const;
type Progress = (typeof progressModes)[number];

const newToken = (): string => `tok-${randomBytes(12).toString('hex')}`;

function sandbox(t: TestContext, files: Readonly<Record<string, string>>): Sandbox {
  const made = createSandbox(files);
  t.after(() => made.close());
  return made;
}

/** Builds into every kind of output with everything shown. */
async function buildAll(
  box: Sandbox,
  progress: Progress,
  args: readonly string[],
  options: SandboxOptions = {},
): Promise<CliResult> {
  const run = `${progress}-${randomBytes(3).toString('hex')}`;
  mkdirSync(box.path('out'), { recursive: true });
  return box.build(
    [
      `--progress=${progress}`,
      '--verbose',
      `--layer-cache-dir=${box.cache}`,
      `--output=type=oci,dest=${box.path(`out/${run}/layout`)}`,
      `--output=type=rootfs,dest=${box.path(`out/${run}/rootfs`)}`,
      `--output=type=docker,dest=${box.path(`out/${run}.tar`)}`,
      `--metadata-file=${box.path(`out/${run}.json`)}`,
      ...args,
    ],
    options,
  );
}

/** Fails when the token stands in what was printed, or in anything that the command line wrote. */
function assertUntold(box: Sandbox, results: readonly CliResult[], token: string): void {
  for (const { output } of results) {
    const form = find(Buffer.from(output), token);
    if (form !== undefined) assert.fail(`printed: ${around(Buffer.from(output), form)}`);
  }
  const written = readdirSync(box.dir)
    .filter((name) => !['context', 'side'].includes(name))
    .map((name) => box.path(name));
  box.assertClean();
  assert.deepEqual(holders(written, token), []);
}

function assertBuilt(result: CliResult): void {
  assert.equal(result.code, 0, result.output);
}

/** Whether a run took every step from the cache. */
function allCached(result: CliResult): boolean {
  return / 0 built/.test(result.stderr) || /"built":0[,}]/.test(result.stderr);
}

/** The base image's name, or undefined where there is no registry. */
function base(t: TestContext): string | undefined {
  const { services } = environment;
  const missing = missingService(services, ['registry', 'http']);
  if (missing === undefined) return `${services.registry!.host}/busybox:1`;
  t.skip(missing);
  return undefined;
}

/** Where a secret's value comes from: arguments and environment that offer it as `mine`. */
const offers: Readonly<
  Record<string, (box: Sandbox, token: string) => { args: string[]; env?: Record<string, string> }>
> = {
  'a file': (box, token) => {
    mkdirSync(box.path('side'), { recursive: true });
    writeFileSync(box.path('side/secret'), `${token}\n`);
    return { args: [`--secret=id=mine,src=${box.path('side/secret')}`] };
  },
  'a variable': (_, token) => ({ args: ['--secret=id=mine,env=MY_VARIABLE'], env: { MY_VARIABLE: token } }),
  'a variable of its own name': (_, token) => ({ args: ['--secret=id=mine'], env: { mine: token } }),
  ENVBUILDER_BUILD_SECRETS: (_, token) => ({ args: [], env: { ENVBUILDER_BUILD_SECRETS: `mine=${token}` } }),
  '--build-secrets': (_, token) => ({ args: [`--build-secrets=mine=${token}`] }),
};

const secretSteps = [
  // What it tells of the secret is its length: that much is known to have arrived.
  'RUN --mount=type=secret,id=mine tr -d "\\n" < /run/secrets/mine | wc -c > /length',
  'RUN --mount=type=secret,id=mine,target=/etc/deep/er/secret,mode=0444 cat /etc/deep/er/secret',
  'RUN --mount=type=secret,id=mine,env=IN_ENV echo "$IN_ENV" && printf %s "$IN_ENV" | base64',
  'RUN env | cut -d= -f1 | sort > /names && cut -d" " -f5 /proc/self/mountinfo > /mounts',
];

for (const [name, offer] of Object.entries(offers)) {
  test(`a build secret from ${name} is told to nobody but its RUN`, async (t) => {
    const image = base(t);
    if (image === undefined) return;
    const token = newToken();
    const box = sandbox(t, { Dockerfile: [`FROM ${image}`, ...secretSteps, ''].join('\n') });
    const results: CliResult[] = [];
    for (const progress of progressModes) {
      const { args, env } = offer(box, token);
      const result = await buildAll(box, progress, [...args, '--no-cache'], { ...(env && { env }) });
      assertBuilt(result);
      assert.match(result.stderr, /\*\*\*/);
      results.push(result);
    }
    for (const root of rootfsOf(box)) {
      assert.equal(readFileSync(join(root, 'length'), 'utf8').trim(), String(token.length));
      // Only --build-secrets are variables of every RUN.
      const byName = /build-secrets/i.test(name.replaceAll('_', '-'));
      const names = readFileSync(join(root, 'names'), 'utf8').split('\n');
      assert.equal(names.includes('mine'), byName);
      assert.deepEqual(
        names.filter((one) => /^(ENVBUILDER_|MY_VARIABLE|IN_ENV)/.test(one)),
        [],
      );
      for (const path of ['run/secrets', 'etc/deep'])
        assert.equal(lstatSync(join(root, path), { throwIfNoEntry: false }), undefined, `${path} is left`);
      assert.doesNotMatch(readFileSync(join(root, 'mounts'), 'utf8'), /secret/);
    }
    assertUntold(box, results, token);
  });

  test(`another value of a build secret from ${name} changes no key`, async (t) => {
    const image = base(t);
    if (image === undefined) return;
    const box = sandbox(t, { Dockerfile: [`FROM ${image}`, ...secretSteps, ''].join('\n') });
    const build = async (token: string): Promise<CliResult> => {
      const { args, env } = offer(box, token);
      const result = await buildAll(box, 'plain', args, { ...(env && { env }) });
      assertBuilt(result);
      return result;
    };
    const first = await build(newToken());
    assert.ok(!allCached(first), first.output);
    const second = await build(newToken());
    assert.ok(allCached(second), second.output);
    assert.equal(second.stdout, first.stdout);
  });
}

test('a RUN sees nothing of the environment that the command line runs in', async (t) => {
  const image = base(t);
  if (image === undefined) return;
  const token = newToken();
  const box = sandbox(t, { Dockerfile: `FROM ${image}\nRUN env > /env && cat /proc/1/environ > /environ\n` });
  const env = {
    ENVBUILDER_CACHE_SALT: token,
    ENVBUILDER_GIT_PASSWORD: token,
    ENVBUILDER_DOCKER_CONFIG_BASE64: dockerConfig('registry.invalid', token),
    KANIKO_OTHER: token,
    SOME_PASSWORD: token,
    SSH_AUTH_SOCK: `/${token}`,
  };
  const result = await buildAll(box, 'json', [], { env });
  assertBuilt(result);
  for (const root of rootfsOf(box)) {
    const names = readFileSync(join(root, 'env'), 'utf8').replace(/=.*/g, '').trim().split('\n');
    assert.deepEqual(
      names.filter((name) => !['PATH', 'HOME', 'PWD', 'SHLVL', 'HOSTNAME', 'OLDPWD'].includes(name)),
      [],
    );
  }
  assertUntold(box, [result], token);
});

const keyOffers: Readonly<
  Record<string, (box: Sandbox, pem: string) => { args: string[]; env?: Record<string, string> }>
> = {
  'a file': (box, pem) => {
    mkdirSync(box.path('side'), { recursive: true });
    writeFileSync(box.path('side/key'), pem);
    return { args: [`--cache-sign-key-path=${box.path('side/key')}`] };
  },
  ENVBUILDER_CACHE_SIGN_KEY_BASE64: (_, pem) => ({
    args: [],
    env: { ENVBUILDER_CACHE_SIGN_KEY_BASE64: Buffer.from(pem).toString('base64') },
  }),
};

for (const [name, offer] of Object.entries(keyOffers)) {
  test(`the key that signs records, from ${name}, is told to nobody`, async (t) => {
    const image = base(t);
    if (image === undefined) return;
    const { privateKey } = generateKeyPairSync('ed25519');
    const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const [, token = ''] = pem.split('\n');
    const box = sandbox(t, {
      Dockerfile: `FROM ${image}\nRUN env > /env; cat /proc/*/environ /proc/*/cmdline > /processes; true\nRUN env >&2; exit 1\n`,
    });
    const { args, env } = offer(box, pem);
    const failed = await buildAll(box, 'json', args, { ...(env && { env }) });
    assert.equal(failed.code, 3, failed.output);
    box.write({
      Dockerfile: readFileSync(join(box.context, 'Dockerfile'), 'utf8').replace('exit 1', 'exit 0'),
    });
    const built = await buildAll(box, 'plain', args, { ...(env && { env }) });
    assertBuilt(built);
    assert.ok(holders([box.cache], 'dev.envbuilder.signature.').length > 0, 'nothing is signed');
    assertUntold(box, [failed, built], token);
    assertUntold(box, [failed, built], privateKey.export({ format: 'jwk' }).d!);
  });
}

test('a secret in a RUN that fails is not printed', async (t) => {
  const image = base(t);
  if (image === undefined) return;
  const token = newToken();
  const box = sandbox(t, {
    Dockerfile: `FROM ${image}\nRUN --mount=type=secret,id=mine,env=MINE cat /no/"$MINE"; /no/"$MINE"\n`,
  });
  for (const progress of progressModes) {
    const args = ['--secret=id=mine,env=GIVEN'];
    const result = await buildAll(box, progress, args, { env: { GIVEN: token } });
    assert.equal(result.code, 3, result.output);
    assertUntold(box, [result], token);
  }
});

test('a secret that is cut in two by the end of a chunk is not printed', async (t) => {
  const image = base(t);
  if (image === undefined) return;
  const token = newToken();
  const [head, tail] = [token.slice(0, 15), token.slice(15)];
  const box = sandbox(t, {
    Dockerfile:
      `FROM ${image}\nRUN --mount=type=secret,id=mine,env=MINE printf "\${MINE%${tail}}"; sleep 0.5; echo "\${MINE#${head}}"\n`
        .replace(tail, '?????????????')
        .replace(head, '???????????????'),
  });
  for (const progress of progressModes) {
    const args = ['--secret=id=mine,env=GIVEN', '--no-cache'];
    const result = await buildAll(box, progress, args, { env: { GIVEN: token } });
    assertBuilt(result);
    assert.ok(!result.output.includes(head) && !result.output.includes(tail), result.output);
    assertUntold(box, [result], token);
  }
});

/** A Docker config with a password, base64-encoded. */
function dockerConfig(host: string, password: string): string {
  const auth = Buffer.from(`someone:${password}`).toString('base64');
  return Buffer.from(JSON.stringify({ auths: { [host]: { auth } } })).toString('base64');
}

const configs: Readonly<Record<string, (box: Sandbox, config: string) => Readonly<Record<string, string>>>> =
  {
    DOCKER_CONFIG: (box, config) => {
      mkdirSync(box.path('side'));
      writeFileSync(box.path('side/config.json'), Buffer.from(config, 'base64'));
      return { DOCKER_CONFIG: box.path('side') };
    },
    ENVBUILDER_DOCKER_CONFIG_BASE64: (_, config) => ({ ENVBUILDER_DOCKER_CONFIG_BASE64: config }),
  };

for (const [name, configure] of Object.entries(configs)) {
  test(`the registry password in ${name} is sent to the registry and told to nobody else`, async (t) => {
    const image = base(t);
    if (image === undefined) return;
    const token = newToken();
    const registry = await guard(t, environment.services.registry!.host, token);
    const repository = `${registry.host}/secrets/${randomBytes(4).toString('hex')}`;
    const box = sandbox(t, { Dockerfile: `FROM ${registry.host}/busybox:1\nRUN env > /env\n` });
    const env = configure(box, dockerConfig(registry.host, token));
    const results: CliResult[] = [];
    for (const progress of progressModes) {
      const push = [`--cache-repo=${repository}`, '--push', '--exit-on-push-failure'];
      const pushed = await box.build([`--progress=${progress}`, '--verbose', ...push], { env });
      assertBuilt(pushed);
      results.push(
        pushed,
        await buildAll(box, progress, ['--no-cache', `--tag=${repository}:t`, '--push'], { env }),
      );
      assertBuilt(results.at(-1)!);
    }
    assert.ok(registry.passed() > 0);
    assertUntold(box, results, token);
    assert.deepEqual(
      holders(
        [join(environment.services.registry!.storage, 'docker/registry/v2/repositories/secrets')],
        token,
      ),
      [],
    );
  });

  test(`a wrong registry password in ${name} is refused and not printed`, async (t) => {
    const image = base(t);
    if (image === undefined) return;
    const token = newToken();
    const registry = await guard(t, environment.services.registry!.host, 'another');
    const box = sandbox(t, { Dockerfile: `FROM ${registry.host}/busybox:1\nRUN true\n` });
    const env = configure(box, dockerConfig(registry.host, token));
    for (const progress of progressModes) {
      const result = await buildAll(box, progress, [], { env });
      assert.equal(result.code, 8, result.output);
      const form = find(Buffer.from(result.output), token);
      assert.equal(form, undefined, result.output);
    }
  });
}

async function guard(t: TestContext, target: string, password: string): Promise<AuthProxy> {
  const proxy = await startAuthProxy({ target, user: 'someone', password });
  t.after(() => proxy.stop());
  return proxy;
}

for (const [name, dockerfile] of Object.entries({
  'of an ADD': (url: string) => `ADD ${url} /git\n`,
  'of an ADD that keeps .git': (url: string) => `ADD --keep-git-dir=true ${url} /git\n`,
  'in a build argument': () => 'ARG URL\nADD $URL /git\n',
})) {
  for (const kind of ['git', 'file'] as const) {
    if (kind === 'file' && name.includes('.git')) continue;
    test(`credentials in the ${kind} URL ${name} are used and told to nobody`, async (t) => {
      const image = base(t);
      if (image === undefined) return;
      const token = newToken();
      const server = await guard(t, environment.services.http!.host, token);
      const path = kind === 'git' ? 'git/refs.git#v1' : 'files/hello.txt';
      const url = `http://someone:${token}@${server.host}/${path}`;
      const box = sandbox(t, { Dockerfile: `FROM ${image}\n${dockerfile(url)}` });
      const results: CliResult[] = [];
      for (const progress of progressModes) {
        const args = name.includes('argument') ? [`--build-arg=URL=${url}`] : [];
        results.push(await buildAll(box, progress, [...args, '--no-cache']));
        assertBuilt(results.at(-1)!);
      }
      assert.ok(server.passed() > 0);
      assertUntold(box, results, token);
    });
  }
}

/** Every process whose arguments hold the token, and every one but ours whose environment does. */
function tellingProcesses(token: string): readonly string[] {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch {
      return Buffer.alloc(0);
    }
  };
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    const name = read(`/proc/${pid}/comm`).toString().trim();
    const environment = name.startsWith('git') ? read(`/proc/${pid}/environ`) : Buffer.alloc(0);
    const tells = find(read(`/proc/${pid}/cmdline`), token) ?? find(environment, token);
    return tells === undefined ? [] : [name];
  });
}

for (const [name, value] of Object.entries({
  'GIT_AUTH_TOKEN of all hosts': (token: string) => ['GIT_AUTH_TOKEN', token] as const,
  'GIT_AUTH_TOKEN of a host': (token: string, host: string) => [`GIT_AUTH_TOKEN.${host}`, token] as const,
  'GIT_AUTH_HEADER of all hosts': (token: string) => ['GIT_AUTH_HEADER', `Bearer ${token}`] as const,
  'GIT_AUTH_HEADER of a host': (token: string, host: string) =>
    [`GIT_AUTH_HEADER.${host}`, `Bearer ${token}`] as const,
  'HTTP_AUTH_TOKEN of a host': (token: string) => ['HTTP_AUTH_TOKEN_127.0.0.1', token] as const,
  'HTTP_AUTH_HEADER of a host': (token: string) => ['HTTP_AUTH_HEADER_127.0.0.1', `Bearer ${token}`] as const,
})) {
  test(`the secret ${name} is sent to the server, and told to nobody`, async (t) => {
    const token = newToken();
    const git = name.startsWith('GIT');
    const accepted = name.startsWith('GIT_AUTH_TOKEN')
      ? `basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`
      : `Bearer ${token}`;
    const box = sandbox(t, {});
    mkdirSync(box.path('side/repositories'), { recursive: true });
    createRepository(box.path('side/repositories/private.git')).commit({ 'file.txt': 'private\n' });
    const telling = new Set<string>();
    let sent = 0;
    const server = await startGitHttpServer({
      root: box.path('side/repositories'),
      intercept: ({ headers, url }, response) => {
        for (const process of tellingProcesses(token)) telling.add(process);
        if (headers.authorization !== accepted) {
          response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
          return true;
        }
        sent += 1;
        if (git) return false;
        response.writeHead(200, { etag: '"1"' }).end(url === '/file' ? 'private\n' : '');
        return true;
      },
    });
    t.after(() => server.stop());
    const source = git ? `${server.origin}/private.git` : `${server.origin}/file`;
    const add = git ? `ADD --keep-git-dir=true ${source} /out/\n` : `ADD ${source} /out/file.txt\n`;
    writeFileSync(box.path('context/Dockerfile'), `FROM scratch\n${add}`);
    const [id, secret] = value(token, `127.0.0.1:${server.port}`);
    const results: CliResult[] = [];
    for (const progress of progressModes) {
      const args = [`--secret=id=${id},env=THE_SECRET`, '--no-cache'];
      results.push(await buildAll(box, progress, args, { env: { THE_SECRET: secret } }));
      assertBuilt(results.at(-1)!);
    }
    for (const root of rootfsOf(box))
      assert.equal(readFileSync(join(root, 'out/file.txt'), 'utf8'), 'private\n');
    assert.ok(sent > 0, 'the server was not asked with it');
    assert.deepEqual([...telling], []);
    assertUntold(box, results, token);
    const without = await buildAll(box, 'plain', ['--no-cache']);
    assert.equal(without.code, 5, without.output);
    assert.match(without.output, git ? /GIT_AUTH_TOKEN/ : /HTTP_AUTH_TOKEN/);
  });
}

test('credentials in a proxy variable are used, reach a RUN, and are told to nobody else', async (t) => {
  const image = base(t);
  if (image === undefined) return;
  const token = newToken();
  const { host } = environment.services.registry!;
  const proxy = await startAuthProxy({ forward: true, target: host, user: 'someone', password: token });
  t.after(() => proxy.stop());
  const box = sandbox(t, {
    // A proxy is not asked for loopback addresses.
    Dockerfile: `FROM registry.invalid/busybox:1\nRUN echo "$http_proxy" && test -n "$HTTP_PROXY" -o -n "$http_proxy"\n`,
  });
  const results: CliResult[] = [];
  for (const progress of progressModes) {
    const url = `http://someone:${token}@${proxy.host}`;
    const env = { http_proxy: url, https_proxy: url };
    results.push(await buildAll(box, progress, ['--no-cache', '--insecure'], { env }));
    assertBuilt(results.at(-1)!);
    assert.match(results.at(-1)!.stderr, /\*\*\*@/);
  }
  assert.ok(proxy.passed() > 0, 'the proxy was not used');
  assertUntold(box, results, token);
});

/** The root file systems that were written so far. */
function rootfsOf(box: Sandbox): readonly string[] {
  const runs = readdirSync(box.path('out'), { withFileTypes: true }).filter((one) => one.isDirectory());
  assert.ok(runs.length > 0);
  return runs.map(({ name }) => box.path(`out/${name}/rootfs`));
}
