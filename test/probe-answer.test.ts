import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { schemaProblems } from '../src/core/json-schema.ts';
import { createRepository } from '../src/workspace/testing.ts';
import { projectRoot } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { startGitHttpServer } from './support/git-http-server.ts';
import { createSandbox, type SandboxResult } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);
const login = { user: 'me', password: 'hunter2-of-git' };
const schema = JSON.parse(readFileSync(join(projectRoot, 'docs/reference/probe.schema.json'), 'utf8'));

/** A repository behind a login, and probes of it. */
async function setUp(t: TestContext) {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const box = createSandbox();
  t.after(() => box.close());
  const origin = createRepository(box.path('app.git'));
  const server = await startGitHttpServer({ root: box.dir, login });
  t.after(() => server.stop());
  const { host } = environment.services.registry!;
  const cache = `${host}/answer/${randomBytes(4).toString('hex')}`;
  const url = `${server.origin}/app.git`;
  const credentials = {
    ENVBUILDER_GIT_USERNAME: login.user,
    ENVBUILDER_GIT_PASSWORD: login.password,
    TMPDIR: box.path('tmp'),
  };
  const probe = (args: readonly string[], query?: object, address = url): Promise<SandboxResult> => {
    const file = box.path('query.json');
    writeFileSync(file, query === undefined ? '' : JSON.stringify(query));
    return box.build([`--cache-repo=${cache}`, '--devcontainer', ...args], {
      command: 'probe',
      context: address,
      env: credentials,
      under: ['sh', '-c', `exec "$@" <'${file}'`, 'sh'],
    });
  };
  const dockerfile = `FROM ${host}/busybox:1\nRUN echo built > /built\nCOPY . /all\n`;
  return { box, origin, cache, url, probe, dockerfile };
}

/** The answer on standard output, which has nothing else. */
function answerOf({ stdout, output }: SandboxResult): Readonly<Record<string, unknown>> {
  assert.equal(stdout.split('\n').length, 2, output);
  assert.ok(!output.includes(login.password), output);
  return JSON.parse(stdout);
}

test('a probe of a repository answers as JSON, and as Terraform reads it', async (t) => {
  const setting = await setUp(t);
  if (!setting) return;
  const { box, origin, cache, url, probe, dockerfile } = setting;
  origin.commit({
    '.devcontainer/devcontainer.json': '{ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
    '.devcontainer/Dockerfile': dockerfile,
    // No two clones have the same.
    '.dockerignore': '.git\n',
    'src/file': 'x\n',
  });
  const missing = {
    instruction: 'RUN echo built > /built',
    file: '.devcontainer/Dockerfile',
    line: 2,
    reason: 'no build has stored it in this cache',
    causes: [{ code: 'never-built', text: 'no build of these stages has left a trace in this cache' }],
  };
  const env = { ENVBUILDER_CACHE_REPO: cache, ENVBUILDER_GIT_URL: `${url}#trunk` };
  const absent = await probe(['--output=json', '--missing-ok'], undefined, `${url}#trunk`);
  assert.equal(absent.code, 0, absent.output);
  assert.deepEqual(answerOf(absent), { exists: false, image: null, env, missing });
  const flat = await probe(['--output=terraform']);
  assert.equal(flat.code, 0, flat.output);
  const { env: flatEnv, ...rest } = answerOf(flat);
  assert.deepEqual(rest, {
    exists: 'false',
    image: '',
    missing_instruction: missing.instruction,
    missing_file: missing.file,
    missing_line: '2',
    missing_reason: missing.reason,
    missing_cause: 'never-built',
  });
  assert.deepEqual(JSON.parse(String(flatEnv)), { ...env, ENVBUILDER_GIT_URL: url });

  const built = await box.build(['--devcontainer', `--cache-repo=${cache}`, '--push-image'], {
    context: origin.path,
  });
  assert.equal(built.code, 0, built.output);
  const image = `${cache}@${built.stdout.trim()}`;
  const secret = url.replace('//', `//${login.user}:${login.password}@`);
  const there = await probe(['--output=json'], undefined, secret);
  assert.equal(there.code, 0, there.output);
  const answer = { exists: true, image, env: { ...env, ENVBUILDER_GIT_URL: url }, missing: null };
  assert.deepEqual(answerOf(there), answer);
  const query = { git_url: url, git_username: login.user, git_password: login.password };
  writeFileSync(box.path('query.json'), JSON.stringify(query));
  const queried = await box.build([`--cache-repo=${cache}`, '--output'], {
    command: 'probe',
    context: 'terraform',
    under: ['sh', '-c', `exec "$@" <'${box.path('query.json')}'`, 'sh'],
  });
  assert.equal(queried.code, 0, queried.output);
  assert.deepEqual([answerOf(queried).exists, answerOf(queried).image], ['true', image]);
  const line = await probe([]);
  assert.equal(line.stdout, `ENVBUILDER_CACHED_IMAGE=${image}\n`, line.output);
  for (const each of [absent, there]) assert.deepEqual(schemaProblems(answerOf(each), schema), []);
  assert.notDeepEqual(schemaProblems({ ...answer, image: 'x', more: 1 }, schema), []);

  // A change is told where it is, and why.
  origin.commit({ 'src/file': 'y\n' });
  const changed = await probe(['--output=json']);
  assert.equal(changed.code, 10, changed.output);
  const { instruction, line: at, causes } = answerOf(changed).missing as Readonly<Record<string, unknown>>;
  assert.deepEqual([instruction, at], ['COPY . /all', 3]);
  const [{ text, ...cause }] = causes as [Readonly<Record<string, unknown>>];
  assert.deepEqual(cause, { code: 'file-changed', names: ['src/file'] });
  assert.match(String(text), /^src\/file changed since the build of \d{4}-/);
  assert.deepEqual(schemaProblems(answerOf(changed), schema), []);
  assert.deepEqual(
    readdirSync(box.path('tmp')).filter((name) => name.startsWith(`envbuilder-probe-`)),
    [],
  );
});

test('what is no answer is an error, and standard output is empty', async (t) => {
  const setting = await setUp(t);
  if (!setting) return;
  const { origin, probe } = setting;
  origin.commit({ 'README.md': '' });
  const cases: readonly [args: readonly string[], query: object | undefined, code: number, text: RegExp][] = [
    [['--output=json', '--missing-ok'], undefined, 17, /devcontainer\.json/],
    [['--output=oci'], undefined, 2, /--output of a probe is "oci"/],
    [['--output=json', '--output=terraform'], undefined, 2, /--output of a probe/],
    [['--output=terraform'], { git_rul: 'x' }, 2, /unknown key "git_rul"/],
    [['--output=terraform'], { git_password: 7 }, 2, /"git_password" that is not a string/],
    [['--output=terraform'], [], 2, /is not an object/],
    [['--output=json', '--git-password=wrong'], undefined, 8, /Authentication failed/],
    [['--output=json', '--runtime-image=x', '--push-image'], undefined, 2, /do not go together/],
  ];
  for (const [args, query, code, text] of cases) {
    const result = await probe(args, query);
    assert.equal(result.code, code, result.output);
    assert.equal(result.stdout, '', result.output);
    assert.match(result.stderr, text);
  }
  const fallback = await probe(['--output=json', '--missing-ok', '--fallback-image=busybox']);
  assert.equal(fallback.code, 0, fallback.output);
  const { exists, missing } = answerOf(fallback);
  assert.equal(exists, false);
  assert.equal((missing as { reason: string }).reason, 'there is no devcontainer.json in the repository');
  assert.deepEqual(schemaProblems(answerOf(fallback), schema), []);
});
