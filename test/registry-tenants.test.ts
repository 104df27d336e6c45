import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { freePort, until } from '../src/core/testing.ts';
import { envbuilder } from './support/envbuilder.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { builtSteps } from './support/results.ts';
import { createSandbox } from './support/sandbox.ts';

const dir = temporaryDir('tenants');
after(() => rmSync(dir, { recursive: true, force: true }));

const USERS = ['ci', 'dev', 'stranger'] as const;

test('CI pushes and signs, a workspace pulls and writes nothing, a stranger gets nothing', async (t) => {
  const file = (name: string): string => join(dir, name);
  writeFileSync(
    file('htpasswd'),
    USERS.map((user) => `${user}:${bcrypt.hashSync(`pw-${user}`, 4)}\n`).join(''),
  );
  writeFileSync(file('rights'), 'ci prebuilt/** pull,push,delete\ndev prebuilt/** pull\n');
  const metricsPort = await freePort();
  const registry = await startOwnRegistry(dir, file('storage'), [
    '--addr=127.0.0.1:0',
    `--htpasswd=${file('htpasswd')}`,
    `--rights=${file('rights')}`,
    `--access-log=${file('access.jsonl')}`,
    `--metrics-addr=127.0.0.1:${metricsPort}`,
    '--gc-every=6h',
    '--keep=30d',
  ]);
  t.after(registry.stop);
  const box = createSandbox({
    Dockerfile: 'FROM scratch\nCOPY one /one\nCOPY two /two\n',
    one: '1',
    two: '2',
  });
  t.after(() => box.close());
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(file('ci.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(file('ci.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const repository = `${registry.host}/prebuilt/cache`;
  const build = async (user: (typeof USERS)[number], ...args: string[]) => {
    const auths = { [registry.host]: { username: user, password: `pw-${user}` } };
    const config = Buffer.from(JSON.stringify({ auths })).toString('base64');
    const result = await box.build(['--progress=json', '--verbose', ...args], {
      env: { ENVBUILDER_DOCKER_CONFIG_BASE64: config },
    });
    assert.equal(result.code, 0, result.output);
    assert.doesNotMatch(result.output, /pw-/);
    return result;
  };
  const trusted = `--cache-trusted-keys=${file('ci.pub')}`;
  const pushed = await build(
    'ci',
    `--cache-repo=${repository}`,
    `--cache-sign-key-path=${file('ci.key')}`,
    '--push',
    '--exit-on-push-failure',
  );
  assert.equal(builtSteps(pushed).length, 2);
  const read = await build('dev', `--cache-trusted-repos=${repository}`, trusted);
  assert.deepEqual(builtSteps(read), []);
  const stranger = await build('stranger', `--cache-trusted-repos=${repository}`, trusted);
  assert.equal(builtSteps(stranger).length, 2);
  box.write({ two: 'changed' });
  const poisoned = await build('dev', `--cache-repo=${repository}`, trusted);
  assert.equal(builtSteps(poisoned).length, 1);
  assert.match(poisoned.output, /"type":"warning"/);

  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  assert.match(await metrics(), /requests_total\{method="GET",route="manifest",status="403"\} [1-9]/);
  const records = (): { user: string | null; method: string; status: number }[] =>
    readFileSync(file('access.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const wrote = (user: string) =>
    records().filter((each) => each.user === user && each.method !== 'GET' && each.method !== 'HEAD');
  await until('the log is written', () => wrote('dev').length > 0);
  assert.ok(wrote('ci').some(({ status }) => status === 201));
  assert.deepEqual(new Set(wrote('dev').map(({ status }) => status)), new Set([403]));
  assert.ok(records().every(({ user, status }) => user !== 'stranger' || status === 403 || status === 200));
  assert.doesNotMatch(readFileSync(file('access.jsonl'), 'utf8'), /pw-|Basic/);
});

test('what cannot be served so is said at the start', async () => {
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  const users = file('users', `ann:${bcrypt.hashSync('pw', 4)}\n`);
  const cases: [string[], RegExp][] = [
    [['--keep=30d'], /--gc-every/],
    [['--gc-every=often'], /time span for --gc-every/],
    [[`--rights=${file('some', 'ann ** pull\n')}`], /no users are named/],
    [
      [`--htpasswd=${users}`, `--rights=${file('wrong', '\nann ** all\n')}`],
      /line 2 of \S+ has the right "all"/,
    ],
    [[`--htpasswd=${users}`, `--rights=${join(dir, 'none')}`], /cannot read/],
    [['--metrics-addr=here'], /not an address/],
    [[`--access-log=${join(dir, 'none/log')}`], /cannot write/],
  ];
  for (const [args, pattern] of cases) {
    const flags = [`--dir=${join(dir, 'unused')}`, '--addr=127.0.0.1:0', ...args];
    const { code, output } = await envbuilder(['registry', 'serve', ...flags]);
    assert.equal(code, 2, output);
    assert.match(output, pattern);
  }
});
