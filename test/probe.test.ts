import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startCountingProxy } from '../scripts/lib/counting-proxy.ts';
import { run } from '../scripts/lib/shell.ts';
import type { Explanation } from '../src/builder/types.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { builtSteps, cachedImage, eventsOf, imageDigest } from './support/results.ts';
import { createSandbox, type Sandbox, type SandboxOptions } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

/** Sequential round trips that a probe may take, whatever the number of steps (docs/explanation.md). */
const MOST_ROUNDS = 4;
/** Records that a probe asks for where all is cached, its own plan's and those of a reproducible build, and their notes. */
const MOST_RECORDS = 5;
/** Long beside what a probe does between two requests, even on a busy machine. */
const HOLD_MS = 3000;

/** The registry's host, or undefined where there is none. */
function registry(t: TestContext): string | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing === undefined) return environment.services.registry!.host;
  t.skip(missing);
  return undefined;
}

function sandbox(t: TestContext, dockerfile: string): Sandbox {
  const box = createSandbox({ Dockerfile: dockerfile, file: 'content\n' });
  t.after(() => box.close());
  return box;
}

const repositoryOf = (host: string): string => `${host}/probe/${randomBytes(4).toString('hex')}`;

for (const steps of [3, 30, 100]) {
  test(`a probe of ${steps} steps takes at most ${MOST_ROUNDS} round trips and no byte of a layer`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const proxy = await startCountingProxy({ target: host, holdMs: HOLD_MS });
    t.after(() => proxy.stop());
    // Small steps: what is counted are requests.
    const lines = Array.from({ length: steps }, (_, i) => `COPY file /file-${i}`);
    const text = (base: string): string => [`FROM ${base}/busybox:1`, ...lines, ''].join('\n');
    const box = sandbox(t, text(host));
    const name = repositoryOf('');
    const built = await box.build([`--cache-repo=${host}${name}`, '--push-image']);
    assert.equal(built.code, 0, built.output);

    const start = performance.now();
    const direct = await box.build([`--cache-repo=${host}${name}`], { command: 'probe' });
    t.diagnostic(`without the counting proxy: ${Math.round(performance.now() - start)} ms`);
    box.write({ Dockerfile: text(proxy.host) });
    const probe = await box.build([`--cache-repo=${proxy.host}${name}`], { command: 'probe' });
    assert.equal(probe.code, 0, probe.output);
    assert.equal(cachedImage(probe)?.split('@')[1], cachedImage(direct)?.split('@')[1]);
    const shown = proxy.requests.map(({ round, method, path }) => `${round} ${method} ${path}`).join('\n');
    assert.ok(proxy.rounds() <= MOST_ROUNDS, `${proxy.rounds()} round trips:\n${shown}`);
    t.diagnostic(`${proxy.requests.length} requests in ${proxy.rounds()} round trips`);
    const records = proxy.requests.filter(({ path }) => /\/manifests\/(?:age-)?[0-9a-f]{64}$/.test(path));
    assert.ok(records.length <= MOST_RECORDS, `${records.length} records:\n${shown}`);
    const config = proxy.requests.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    assert.ok(config.length <= 1, `more than the base's config was read:\n${shown}`);
    assert.ok(
      proxy.requests.every(({ method }) => method === 'GET' || method === 'HEAD'),
      `it wrote:\n${shown}`,
    );
  });
}

test('a probe of a dev container asks no registry more than a probe of its Dockerfile', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const proxy = await startCountingProxy({ target: host, holdMs: HOLD_MS });
  t.after(() => proxy.stop());
  const text = (base: string): string => `FROM ${base}/busybox:1\nCOPY file /file\n`;
  const box = sandbox(t, text(host));
  box.write({ '.devcontainer/devcontainer.json': '{ "build": { "dockerfile": "../Dockerfile" } }' });
  const name = repositoryOf('');
  const built = await box.build([`--cache-repo=${host}${name}`, '--devcontainer', '--push-image']);
  assert.equal(built.code, 0, built.output);
  box.write({ Dockerfile: text(proxy.host) });
  const probe = await box.build([`--cache-repo=${proxy.host}${name}`, '--devcontainer'], {
    command: 'probe',
  });
  assert.equal(probe.code, 0, probe.output);
  assert.equal(cachedImage(probe)?.split('@')[1], built.stdout.trim().split('@').at(-1));
  const asked = proxy.requests;
  const shown = asked.map(({ round, method, path }) => `${round} ${method} ${path}`).join('\n');
  const bases = asked.filter(({ path }) => path.includes('/busybox/manifests/'));
  assert.equal(bases.length, 1, shown);
  assert.ok(new Set(asked.map(({ round }) => round)).size <= MOST_ROUNDS, shown);
});

test('a probe works on a read-only context and changes nothing anywhere', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const box = sandbox(t, `FROM ${host}/busybox:1\nCOPY file /file\nRUN true\n`);
  const args = [`--layer-cache-dir=${box.cache}`];
  const built = await box.build([...args, '--push-image']);
  assert.equal(built.code, 0, built.output);
  const snapshot = async (): Promise<string> =>
    run('/bin/sh', ['-c', `find . -printf '%p %i %T@ %C@ %s\\n' | sort`], { cwd: box.dir });
  const earlier = await snapshot();
  const readOnly = ['unshare', '-m', '/bin/sh', '-c', 'mount -r --bind "$0" "$0" && exec "$@"', box.dir];
  const variables = {
    ENVBUILDER_GET_CACHED_IMAGE: '1',
    ENVBUILDER_WORKSPACE_FOLDER: box.context,
    ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
    ENVBUILDER_LAYER_CACHE_DIR: box.cache,
  };
  const ways: readonly SandboxOptions[] = [{ command: 'probe' }, { command: 'start', env: variables }];
  for (const way of ways) {
    const probe = await box.build(way.env ? [] : args, { ...way, under: readOnly });
    assert.equal(probe.code, 0, probe.output);
    assert.match(cachedImage(probe) ?? probe.output, /^local\/cache@sha256:/);
  }
  assert.equal(await snapshot(), earlier);
});

test('a probe names the first step that is missing, with its place and why', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const lines = (second: string): string =>
    `FROM ${host}/busybox:1\nRUN echo first\n\nRUN echo ${second}\nRUN echo third\n`;
  const box = sandbox(t, lines('second'));
  const args = [`--cache-repo=${repositoryOf(host)}`];
  const nothing = await box.build(args, { command: 'probe' });
  assert.notEqual(nothing.code, 0);
  assert.match(nothing.stderr, /not cached: RUN echo first \(context\/Dockerfile:2, stage 0\)/);
  assert.equal(nothing.stdout, '');
  assert.equal((await box.build([...args, '--push-image'])).code, 0);
  box.write({ Dockerfile: lines('changed') });
  const changed = await box.build(args, { command: 'probe' });
  assert.notEqual(changed.code, 0);
  assert.match(
    changed.stderr,
    /not cached: RUN echo changed \(context\/Dockerfile:4, stage 0\): its command changed since the build of \d{4}-\d\d-\d\d \d\d:\d\d\n/,
  );
  assert.equal(changed.stdout, '');

  // The same for every step, and by codes; the build itself says it too.
  const explained = await box.build(args, { command: 'explain' });
  assert.equal(explained.code, 0, explained.output);
  assert.match(
    explained.stdout,
    /cached .*RUN echo first\n.*missing .*:4 {2}RUN echo changed\n +its command changed .*\[command-changed\]\n.*missing .*RUN echo third\n +a step before it is made anew: RUN echo changed \[step-before\]\n1 of 3 steps/,
  );
  const json = await box.build([...args, '--output=json'], { command: 'explain' });
  const { since, steps } = JSON.parse(json.stdout) as Explanation;
  assert.match(since ?? '', /^\d{4}-.*Z$/);
  assert.deepEqual(
    steps.map(({ cached, causes }) => [cached, ...causes.map(({ code }) => code)]),
    [[true], [false, 'command-changed'], [false, 'step-before']],
  );
  const other = await box.build([...args, '--from=2001'], { command: 'explain' });
  assert.equal(other.code, 6, other.output);
  assert.match(other.stderr, new RegExp(`there are traces of ${since}`));
  const again = await box.build(args);
  box.write({ Dockerfile: lines('second') });
  const named = await box.build([...args, '--from=20', '--output=json'], { command: 'explain' });
  const { steps: all } = JSON.parse(named.stdout) as Explanation;
  assert.deepEqual(
    all.map(({ cached, causes }) => [cached, ...causes.map(({ code }) => code)]),
    [[true], [true, 'command-changed'], [true, 'step-before']],
  );

  // Nobody waits for the reason of a step that ends at once, so that one of several has to do.
  const says = /not cached: its command changed since the build of/;
  let told = again.stderr;
  for (let i = 0; i < 10 && !says.test(told); i += 1) {
    box.write({ Dockerfile: lines(`changed ${i}`) });
    told = (await box.build(args)).stderr;
  }
  assert.match(told, says);
});

test('a probe says that an image was never pushed; with PUSH_IMAGE it pushes it without building', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const box = sandbox(t, `FROM ${host}/busybox:1\nRUN date +%N > /now\n`);
  const repository = repositoryOf(host);
  const args = [`--cache-repo=${repository}`];
  assert.equal((await box.build(args)).code, 0);
  const never = await box.build(args, { command: 'probe' });
  assert.notEqual(never.code, 0);
  assert.match(never.stderr, /every layer is cached, but the image sha256:\w+ was never pushed/);
  assert.match(never.stderr, /ENVBUILDER_PUSH_IMAGE/);
  const pushed = await box.build([...args, '--push-image'], { command: 'probe' });
  assert.equal(pushed.code, 0, pushed.output);
  const image = cachedImage(pushed);
  assert.ok(image?.startsWith(`${repository}@`), pushed.output);
  assert.equal(cachedImage(await box.build(args, { command: 'probe' })), image);
  await run('skopeo', ['inspect', '--tls-verify=false', `docker://${image}`]);
});

/** Dockerfiles whose last stage gets its files from elsewhere: text with @BASE@, and the first step that is missing. */
const BORROWED: readonly {
  readonly name: string;
  readonly lines: readonly string[];
  readonly missing?: RegExp;
  readonly args?: readonly string[];
}[] = [
  {
    name: 'FROM an earlier stage with metadata alone',
    lines: [
      'FROM @BASE@ AS first',
      'RUN date +%N > /now',
      'FROM first',
      'ENV A=1',
      'LABEL b=2',
      'CMD ["true"]',
    ],
    missing: /Dockerfile:2, stage first/,
  },
  {
    name: 'FROM an earlier stage and nothing else',
    lines: ['FROM @BASE@ AS first', 'RUN date +%N > /now', 'FROM first AS second'],
    missing: /Dockerfile:2, stage first/,
  },
  {
    name: 'a chain of names for one stage',
    lines: [
      'FROM @BASE@ AS a',
      'RUN date +%N > /now',
      ...['b', 'c', 'd', 'e'].flatMap((name, i) => [`FROM ${'abcd'[i]} AS ${name}`, `ENV ${name}=1`]),
    ],
    missing: /Dockerfile:2, stage a/,
  },
  {
    name: 'a stage that is named as target, on another one',
    lines: ['FROM @BASE@ AS a', 'RUN date +%N > /now', 'FROM a AS b', 'ENV B=1', 'FROM b', 'RUN false'],
    args: ['--target=b'],
    missing: /Dockerfile:2, stage a/,
  },
  {
    name: 'metadata on a stage that copied from a third one',
    lines: [
      'FROM @BASE@ AS a',
      'RUN date +%N > /now',
      'FROM scratch AS b',
      'COPY --from=a /now /now',
      'FROM b',
      'ENV C=1',
    ],
    missing: /Dockerfile:2, stage a/,
  },
  {
    name: 'COPY --from alone',
    lines: ['FROM @BASE@ AS a', 'RUN date +%N > /now', 'FROM scratch', 'COPY --from=a /now /now'],
    missing: /Dockerfile:2, stage a/,
  },
  {
    name: 'a step that changes nothing, below metadata',
    lines: ['FROM @BASE@ AS a', 'RUN true', 'FROM a', 'ENV A=1'],
    missing: /Dockerfile:2, stage a/,
  },
  {
    name: 'steps of ONBUILD alone',
    lines: ['FROM @BASE@ AS a', 'ONBUILD RUN date +%N > /now', 'FROM a', 'ENV A=1'],
    missing: /not cached: RUN date/,
  },
  {
    name: 'ONBUILD on a stage that the target goes on from',
    lines: ['FROM @BASE@ AS a', 'ONBUILD RUN date +%N > /now', 'FROM a AS b', 'FROM b', 'ENV A=1'],
    missing: /not cached: RUN date/,
  },
  {
    name: 'more tags than one',
    lines: ['FROM @BASE@ AS a', 'RUN date +%N > /now', 'FROM a', 'ENV A=1'],
    args: ['--tag=@REPOSITORY@:one', '--tag=@REPOSITORY@:two'],
    missing: /Dockerfile:2, stage a/,
  },
  { name: 'metadata on scratch', lines: ['FROM scratch', 'LABEL a=1', 'ENV B=2'] },
  {
    name: 'metadata on nothing but names for scratch',
    lines: ['FROM scratch AS a', 'FROM a AS b', 'ENV B=2'],
  },
  { name: 'a base image alone', lines: ['FROM @BASE@'] },
  { name: 'a base image under another name', lines: ['FROM @BASE@ AS a', 'FROM a', 'LABEL b=1'] },
];

for (const { name, lines, missing, args: more = [] } of BORROWED) {
  test(`${name}: the probe tells what is missing, runs nothing, and finds what was pushed`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const text = lines.map((line) => line.replace('@BASE@', `${host}/busybox:1`));
    const box = sandbox(t, [...text, ''].join('\n'));
    const argsFor = (repository: string): string[] => [
      `--cache-repo=${repository}`,
      ...more.map((arg) => arg.replace('@REPOSITORY@', repository)),
    ];
    const probe = (args: readonly string[], push = false) =>
      box.build([...args, '--progress=json', ...(push ? ['--push-image'] : [])], { command: 'probe' });

    const fresh = argsFor(repositoryOf(host));
    if (missing !== undefined) {
      for (const push of [false, true]) {
        const nothing = await probe(fresh, push);
        assert.equal(nothing.code, EXIT_CODES.CACHE_MISS.exit, nothing.output);
        assert.match(nothing.stderr, missing);
        assert.equal(eventsOf(nothing, 'step-started').length, 0, nothing.output);
      }
    } else {
      assert.equal((await probe(fresh)).code, EXIT_CODES.NOT_PUSHED.exit);
    }
    // Built without being pushed, then pushed by the probe.
    assert.equal((await box.build(fresh)).code, 0);
    assert.equal((await probe(fresh)).code, EXIT_CODES.NOT_PUSHED.exit);
    const pushed = await probe(fresh, true);
    assert.equal(pushed.code, 0, pushed.output);
    assert.deepEqual(builtSteps(pushed), []);
    assert.equal(cachedImage(await probe(fresh)), cachedImage(pushed));
    // Built and pushed at once.
    const other = argsFor(repositoryOf(host));
    const built = await box.build([...other, '--push-image', `--metadata-file=${box.path('metadata.json')}`]);
    assert.equal(built.code, 0, built.output);
    const found = await probe(other);
    assert.equal(cachedImage(found)?.split('@')[1], imageDigest(box.path('metadata.json')), found.output);
  });
}

test('a second build of an unchanged image writes nothing into the cache', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const box = sandbox(t, `FROM ${host}/busybox:1\nCOPY file /file\nRUN date +%N > /now\n`);
  const args = [`--layer-cache-dir=${box.cache}`, '--push-image'];
  assert.equal((await box.build(args)).code, 0);
  // Times change: they tell the garbage collection what is in use.
  const files = (): string[] =>
    readdirSync(box.cache, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(box.cache, name)).isFile())
      .map((name) => `${name} ${readFileSync(join(box.cache, name)).toString('base64').slice(0, 200)}`)
      .sort();
  const earlier = files();
  assert.ok(earlier.length > 0);
  const again = await box.build(args);
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(files(), earlier);
  assert.ok(existsSync(box.cache));
});
