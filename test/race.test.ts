import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startCountingProxy } from '../scripts/lib/counting-proxy.ts';
import { openPlace, PLACES, type PlaceName } from './support/cache-place.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { openGate } from './support/gate.ts';
import { startOwnRegistry } from './support/own-registry.ts';
import { leftAfter, type RaceOptions, type RaceResult, race, runLine } from './support/race.ts';
import { builtSteps, cachedImage, eventsOf } from './support/results.ts';
import { createSandbox, type Sandbox, type SandboxOptions, type SandboxResult } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

/** Stages that share a step, copy from each other and go on from each other. */
const DOCKERFILE = [
  'FROM @BASE@ AS a',
  runLine('common', 0.5, 300_000),
  runLine('a2', 0.5, 300_000),
  'FROM @BASE@ AS b',
  runLine('common', 0.5, 300_000),
  'COPY --from=a /s/a2.txt /s/of-a/a2.txt',
  runLine('b2', 0.2, 300_000),
  'FROM a AS c',
  'COPY file /s/file',
  'FROM b AS last',
  'COPY --from=c /s /s/of-c',
  runLine('last', 0.5, 300_000),
  // A target without steps of its own.
  'FROM last',
  'ENV A=1',
];

/** Where builds cannot let each other know what they make, each makes it. */
const WITHOUT_LEASES: readonly PlaceName[] = [
  'a registry with immutable tags',
  'a registry that takes no leases',
];
/** Where two may pass each other at a record as well, and each ends with an image of its own. */
const WITHOUT_ANYTHING: PlaceName = 'a registry that takes no leases';

function registry(t: TestContext): string | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing === undefined) return environment.services.registry!.host;
  t.skip(missing);
  return undefined;
}

async function raceIn(
  t: TestContext,
  name: PlaceName,
  host: string,
  options: Partial<RaceOptions> = {},
): Promise<RaceResult> {
  const box = createSandbox();
  const place = await openPlace(name, box.dir, host);
  t.after(async () => {
    await place.stop();
    box.close();
  });
  const base = `${host}/busybox:1`;
  return race({ seed: 1, place, base, builders: 4, kills: 0, dockerfile: DOCKERFILE, ...options });
}

/** How often a RUN was executed on average, and the bytes that were pushed beside those of one build. */
function costs(results: readonly RaceResult[]): { readonly runs: number; readonly bytes: number } {
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);
  const counts = results.flatMap(({ executed }) => [...executed.values()]);
  const alone = sum(results.map(({ pushedAlone }) => pushedAlone));
  return {
    runs: sum(counts) / counts.length,
    bytes: alone === 0 ? 1 : sum(results.map(({ pushed }) => pushed)) / alone,
  };
}

test('builds that race run each step once, push it once, and leave a cache that hits', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const results: RaceResult[] = [];
  for (const name of PLACES.filter((one) => !WITHOUT_LEASES.includes(one))) {
    await t.test(name, async (inner) => {
      const result = await raceIn(inner, name, host);
      assert.deepEqual(result.problems, []);
      assert.equal(result.executed.size, 4);
      results.push(result);
      const { runs, bytes } = costs([result]);
      inner.diagnostic(`each RUN ${runs.toFixed(2)} times, ${bytes.toFixed(2)} times the bytes of one build`);
    });
  }
  const { runs, bytes } = costs(results);
  assert.ok(runs <= 1.2, `each RUN was executed ${runs} times`);
  assert.ok(bytes <= 1.1, `${bytes} times the bytes of one build were pushed`);
});

for (const name of WITHOUT_LEASES) {
  test(`${name}: everybody builds, and the cache hits`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const digests = name === WITHOUT_ANYTHING ? 'any' : 'one';
    const result = await raceIn(t, name, host, { builders: 3, digests });
    assert.deepEqual(result.problems, []);
    assert.equal(result.waited, 0);
  });
}

test('a build that is killed holds up the others for a while, and leaves nothing that is wrong', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const places: readonly PlaceName[] = ['a directory', 'our registry'];
  const results = await Promise.all(places.map((name) => raceIn(t, name, host, { seed: 3, kills: 2 })));
  for (const { problems } of results) assert.deepEqual(problems, []);
});

/** Builds in a sandbox that run at the same time, each with directories of its own. */
const buildersIn =
  (box: Sandbox) =>
  (who: string, options: readonly string[], watch?: SandboxOptions['watch']): Promise<SandboxResult> =>
    box.build(['--progress=json', ...options], {
      env: {
        ENVBUILDER_STATE_DIR: box.path(`state-${who}`),
        ENVBUILDER_WORK_DIR: box.path(`work-${who}`),
      },
      ...(watch && { watch }),
    });

/** Noticing a holder's death takes half a minute, and then the step is begun. */
const DEAD_MS = 45_000;
/** A holder that is stopped is taken for dead, and goes on once it is overtaken. */
const HALTS: readonly (readonly [PlaceName, 'SIGKILL' | 'SIGSTOP'])[] = [
  ['a directory', 'SIGKILL'],
  ['our registry', 'SIGKILL'],
  ["Distribution's registry", 'SIGKILL'],
  ['our registry', 'SIGSTOP'],
  ["Distribution's registry", 'SIGSTOP'],
];

test('a holder that dies delays the others by half a minute, and one that was stopped ends as they did', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  await Promise.all(
    HALTS.map(async ([name, signal]) => {
      const what = `${name}, ${signal}`;
      const gate = await openGate(t);
      const run = `RUN echo begun; wget -q -O- ${gate.url} && cat /proc/sys/kernel/random/uuid > /number`;
      const box = createSandbox({ Dockerfile: `FROM ${host}/busybox:1\nRUN true\n${run}\n` });
      const place = await openPlace(name, box.dir, host);
      t.after(async () => {
        await place.stop();
        box.close();
      });
      const cache = place.cache();
      const build = buildersIn(box);
      const { arrived, release } = gate.hold();
      const startedAt = performance.now();
      let send: ((signal: NodeJS.Signals) => void) | undefined;
      const halted = build('halted', cache, (_, kill) => {
        send ??= kill;
      });
      const early = await Promise.race([arrived, halted]);
      assert.equal(early, undefined, `${what}: it ended before it was halted: ${early?.output}`);
      // As long as this machine takes to come to the step, which is a second or two where it does nothing else.
      const slowness = performance.now() - startedAt;
      let [haltedAt, wentOnAt] = [0, 0];
      const other = await build('other', cache, (output) => {
        if (haltedAt === 0 && /"step-waiting","id":\{"stage":0,"step":1\}/.test(output)) {
          send!(signal);
          haltedAt = performance.now();
        } else if (
          haltedAt > 0 &&
          wentOnAt === 0 &&
          /"step-started","id":\{"stage":0,"step":1\}/.test(output)
        )
          wentOnAt = performance.now();
      });
      assert.equal(other.code, 0, other.output);
      assert.ok(haltedAt > 0, `${what}: nobody waited: ${other.output}`);
      const delay = wentOnAt - haltedAt;
      t.diagnostic(`${what}: went on after ${(delay / 1000).toFixed(1)} s`);
      // Wait: the time is what a lease promises.
      assert.ok(delay <= DEAD_MS + 3 * slowness, `${what}: went on after ${delay} ms`);
      assert.deepEqual(builtSteps(other), ['0.1']);
      send!('SIGCONT');
      release();
      const { code, stdout, output } = await halted;
      if (signal === 'SIGKILL') {
        assert.equal(code, 137);
        assert.deepEqual(await leftAfter(box, 'halted'), []);
      } else assert.deepEqual([code, stdout], [0, other.stdout], `${what}: ${output}`);
    }),
  );
});

test('builds that do not wait for each other end with one image all the same', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const result = await raceIn(t, 'our registry', host, { builders: 3, args: ['--cache-wait-seconds=0'] });
  assert.deepEqual(result.problems, []);
  assert.equal(result.waited, 0);
});

/** What the target has behind the last step. */
const ENDS: Readonly<Record<string, readonly string[]>> = {
  'a target with steps of its own': [],
  'a target without steps of its own': ['FROM made AS between', 'ENV A=1', 'FROM between', 'ENV B=1'],
};
const KEEPING: readonly PlaceName[] = [
  'a directory',
  'our registry',
  'a registry with immutable tags',
  "Distribution's registry",
];

for (const [what, lines] of Object.entries(ENDS)) {
  test(`${what}: who is overtaken in its last step ends with the image that was first`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const gate = await openGate(t);
    for (const name of KEEPING) {
      const run = `RUN wget -q -O- ${gate.url} && cat /proc/sys/kernel/random/uuid > /number`;
      const dockerfile = [`FROM ${host}/busybox:1 AS made`, 'RUN true', run, ...lines];
      const box = createSandbox({ Dockerfile: `${dockerfile.join('\n')}\n` });
      const place = await openPlace(name, box.dir, host);
      try {
        const cache = ['--push-image', ...place.cache()];
        const args = ['--progress=json', '--cache-wait-seconds=0', ...cache];
        const { arrived, release } = gate.hold();
        const late = box.build(args);
        await Promise.race([arrived, late]);
        const first = await box.build(args);
        release();
        const second = await late;
        for (const { code, output } of [first, second]) assert.equal(code, 0, `${name}: ${output}`);
        assert.ok(builtSteps(second).includes('0.1'), `${name}: the late one made nothing`);
        assert.equal(second.stdout, first.stdout, name);
        const probe = await box.build(cache, { command: 'probe' });
        assert.equal(cachedImage(probe)?.split('@')[1], first.stdout.trim(), `${name}: ${probe.output}`);
      } finally {
        await place.stop();
        box.close();
      }
    }
  });
}

for (const name of ['our registry', "Distribution's registry"] as const) {
  test(`${name}: who waits for a step that copies from a stage does not unpack that stage`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const gate = await openGate(t);
    const below = [
      `FROM ${host}/busybox:1 AS data`,
      'RUN head -c 300000 /dev/urandom > /data',
      `FROM ${host}/busybox:1`,
      `RUN wget -q -O /made ${gate.url}`,
    ];
    const box = createSandbox({
      Dockerfile: `${[...below, 'COPY --from=data /data /copy', 'RUN test -s /copy'].join('\n')}\n`,
      'Dockerfile.below': `${below.join('\n')}\nCOPY --from=data /data /other\n`,
    });
    const place = await openPlace(name, box.dir, host);
    const cache = place.cache().join();
    const [, registryHost = '', repository] = /--cache-repo=([^/]+)\/(.*)/.exec(cache) ?? [];
    const proxy = await startCountingProxy({ target: registryHost });
    t.after(async () => {
      await proxy.stop();
      await place.stop();
      box.close();
    });
    const build = buildersIn(box);
    const { arrived, release } = gate.hold();
    // It holds the leases on its RUN and on the COPY behind it.
    const maker = build('maker', [cache]);
    const early = await Promise.race([arrived, maker]);
    assert.equal(early, undefined, `it ended before its RUN did: ${early?.output}`);
    const overtaking = await build('overtaking', [
      cache,
      '--cache-wait-seconds=0',
      `--file=${box.path('context/Dockerfile.below')}`,
    ]);
    assert.equal(overtaking.code, 0, overtaking.output);
    const waiting = /"step-waiting","id":\{"stage":1,"step":1\},"ms":[1-9]/;
    let waited = false;
    const waiter = await build('waiter', [`--cache-repo=${proxy.host}/${repository}`], (output) => {
      if (waited || !waiting.test(output)) return;
      waited = true;
      release();
    });
    const made = await maker;
    for (const { code, output } of [made, waiter]) assert.equal(code, 0, output);
    assert.ok(waited, `nobody waited: ${waiter.output}`);
    assert.deepEqual([builtSteps(made).at(-1), builtSteps(waiter)], ['1.2', []]);
    assert.equal(waiter.stdout, made.stdout);
    // What is small is read where it is asked for.
    const layers = eventsOf(waiter, 'step-layer').filter(({ bytes }) => Number(bytes) >= 300_000);
    assert.equal(layers.length, 2, waiter.output);
    const blobs = new Set(layers.map(({ digest }) => digest));
    const read = proxy.requests.filter(
      ({ method, path }) => method === 'GET' && blobs.has(path.split('/').at(-1)),
    );
    assert.deepEqual(read, []);
  });
}

test('a step that stands in two stages runs once, and the probe and later builds find it', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const lines = [
    `FROM ${host}/busybox:1 AS a`,
    runLine('same'),
    `FROM ${host}/busybox:1 AS b`,
    runLine('same'),
    runLine('more'),
    `FROM ${host}/busybox:1`,
    'COPY --from=a /s /a',
    'COPY --from=b /s /b',
    'RUN cmp /a/same.bin /b/same.bin',
  ];
  const box = createSandbox({ Dockerfile: `${lines.join('\n')}\n` });
  t.after(() => box.close());
  for (const args of [[`--layer-cache-dir=${box.cache}`, '--push-image'], []]) {
    const built = await box.build(['--progress=json', ...args]);
    assert.equal(built.code, 0, built.output);
    assert.equal(builtSteps(built).length, 5);
    if (args.length === 0) continue;
    const probe = await box.build(args, { command: 'probe' });
    assert.equal(cachedImage(probe)?.split('@')[1], built.stdout.trim(), probe.output);
    const again = await box.build(['--progress=json', ...args]);
    assert.deepEqual([builtSteps(again), again.stdout], [[], built.stdout]);
  }
});

const LEASE_HOLDERS: readonly (readonly [PlaceName, number, readonly string[]])[] = [
  ['our registry', 2, []],
  // One is for both steps; what says that tags can be replaced there stays.
  ["Distribution's registry", 1, ['lease-check']],
];

for (const [name, tags, stays] of LEASE_HOLDERS) {
  test(`a build that is told to end gives its leases back, and ${name} lists none`, async (t) => {
    const host = registry(t);
    if (host === undefined) return;
    const box = createSandbox({
      Dockerfile: `FROM ${host}/busybox:1\nRUN echo begun; sleep 600\nRUN true\n`,
    });
    const place = await openPlace(name, box.dir, host);
    t.after(async () => {
      await place.stop();
      box.close();
    });
    const cache = place.cache();
    const [, server, repository] = /--cache-repo=([^/]+)\/(.*)/.exec(cache.join()) ?? [];
    const leases = async (): Promise<readonly string[]> => {
      const answer = await fetch(`http://${server}/v2/${repository}/tags/list`);
      const { tags } = (await answer.json()) as { readonly tags?: readonly string[] };
      return (tags ?? []).filter((tag) => tag.startsWith('lease-'));
    };
    let before: Promise<readonly string[]> | undefined;
    const ended = await box.build(cache, {
      watch: (output, kill) => {
        if (before !== undefined || !/^#\d+ \S+ begun$/m.test(output)) return;
        before = leases().finally(() => kill('SIGTERM'));
      },
    });
    assert.notEqual(ended.code, 0);
    assert.equal((await before)?.length, tags + stays.length, ended.output);
    assert.deepEqual(await leases(), stays);
  });
}

test('leases cost a build alone one request for each stage that is not cached', async (t) => {
  const host = registry(t);
  if (host === undefined) return;
  const steps = ['RUN true', 'RUN echo 1 > /one', 'COPY file /file', 'RUN echo 2 > /two'];
  const lines = [
    `FROM ${host}/busybox:1 AS a`,
    ...steps,
    `FROM ${host}/busybox:1`,
    'COPY --from=a /one /',
    ...steps,
  ];
  const box = createSandbox({ Dockerfile: `${lines.join('\n')}\n`, file: 'content\n' });
  t.after(() => box.close());
  const own = await startOwnRegistry(box.dir, box.path('storage'));
  t.after(() => own.stop());
  const proxy = await startCountingProxy({ target: own.host });
  t.after(() => proxy.stop());
  const args = [`--cache-repo=${proxy.host}/race/cost`];
  const built = await box.build(args);
  assert.equal(built.code, 0, built.output);
  const shown = proxy.requests.map(({ method, path }) => `${method} ${path}`);
  assert.equal(shown.filter((line) => line.includes('lease')).length, 2, shown.join('\n'));
  // No record is asked for twice: a lease that is given says that there is none.
  const asked = shown.filter((line) => /^GET \S+\/manifests\/[0-9a-f]{64}$/.test(line));
  assert.deepEqual(asked.length, new Set(asked).size, shown.join('\n'));
  // A cached build takes none.
  const before = proxy.requests.length;
  const cached = await box.build([...args, '--progress=json']);
  assert.deepEqual(builtSteps(cached), []);
  const later = proxy.requests.slice(before).filter(({ path }) => path.includes('lease'));
  assert.deepEqual(later, []);
  assert.equal(eventsOf(cached, 'step-waiting').length, 0);
});
