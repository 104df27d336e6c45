import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from './core/testing.ts';
import {
  AppError,
  type BuildOptions,
  type BuildResult,
  build,
  buildIndex,
  type Configuration,
  createMemoryStore,
  type ErrorCode,
  type Event,
  type EXIT_CODES,
  type OpenedStore,
  openStore,
  type PlanSummary,
  type ProbeResult,
  plan,
  probe,
  probeIndex,
  type readConfiguration,
  readDevcontainer,
  type runAsRoot,
  type Store,
  serveRegistry,
} from './index.ts';

/** A context that needs no base image, no RUN and no network. */
function context(dir: string): BuildOptions {
  mkdirSync(join(dir, 'app/.devcontainer'), { recursive: true });
  writeFileSync(join(dir, 'app/Dockerfile'), 'FROM scratch\nARG NAME=a\nCOPY a.txt /$NAME.txt\n');
  writeFileSync(join(dir, 'app/a.txt'), 'a');
  return { context: join(dir, 'app'), workDir: join(dir, 'work'), stateDir: join(dir, 'state') };
}

test('a plan tells the keys of all steps, and writes nothing', async (t) => {
  const options = context(tempDir(t));
  const { stages, target } = await plan(options);
  assert.equal(stages.length, 1);
  assert.equal(target, 0);
  const [step] = stages[0]!.steps;
  assert.equal(step!.text, 'COPY a.txt /$NAME.txt');
  assert.deepEqual([step!.file, step!.line], [join(options.context, 'Dockerfile'), 3]);
  const other = await plan({ ...options, buildArgs: { NAME: 'b' } });
  assert.notEqual(other.stages[0]!.steps[0]!.key, step!.key);
  const map = await plan({ ...options, buildArgs: new Map([['NAME', 'b']]) });
  assert.deepEqual(map, other);
});

test('an index of several platforms has the image of each, and a probe finds it', async (t) => {
  const store = await createMemoryStore();
  const options: BuildOptions = { ...context(tempDir(t)), cache: { type: 'store', store }, push: true };
  const platforms = ['linux/amd64', 'linux/arm64/v8', 'arm64'];
  const missing = await probeIndex({ ...options, platforms }).catch((error: unknown) => error);
  assert.ok(missing instanceof AppError && missing.code === 'CACHE_MISS');
  const index = await buildIndex({ ...options, platforms });
  assert.deepEqual(
    index.images.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64'],
  );
  assert.equal(index.summary.stepsBuilt, 2);
  for (const { platform, imageDigest } of index.images) {
    const alone = await build({ ...options, platform, push: false });
    assert.deepEqual([alone.imageDigest, alone.summary.stepsHit], [imageDigest, 1]);
  }
  const raw = await store.resolve(index.indexDigest);
  assert.deepEqual(raw?.descriptor, index.descriptor);
  assert.equal((await probeIndex({ ...options, platforms })).reference, `memory@${index.indexDigest}`);
  const archive = { ...options, platforms, outputs: [{ type: 'docker', path: '-' }] } as const;
  await assert.rejects(buildIndex(archive), { code: 'USAGE' });
});

test('a store in memory is a cache: a second build runs nothing, and a probe finds the image', async (t) => {
  const store = await createMemoryStore();
  const options: BuildOptions = { ...context(tempDir(t)), cache: { type: 'store', store }, push: true };
  const events: Event[] = [];
  const first = await build(options, { onEvent: (event) => events.push(event) });
  assert.equal(first.summary.stepsBuilt, 1);
  assert.ok(events.some((event) => event.type === 'step-finished' && event.outcome === 'built'));
  const second = await build(options);
  assert.deepEqual([second.summary.stepsHit, second.imageDigest], [1, first.imageDigest]);
  assert.equal((await probe(options)).reference, `memory@${first.imageDigest}`);
});

test('a step counts once, as what it came to: one whose layer cannot be read is built, and no hit', async (t) => {
  const dir = tempDir(t);
  const path = join(dir, 'cache');
  const options: BuildOptions = { ...context(dir), cache: { type: 'directory', path } };
  const first = await build(options);
  const blobs = join(path, 'docker/registry/v2/blobs/sha256');
  for (const { digest, size } of first.layers) {
    const hex = digest.slice('sha256:'.length);
    writeFileSync(join(blobs, hex.slice(0, 2), hex, 'data'), Buffer.alloc(size));
  }
  const outputs = [{ type: 'rootfs', path: join(dir, 'rootfs') }] as const;
  const { summary } = await build({ ...options, outputs });
  assert.deepEqual([summary.stepsTotal, summary.stepsHit, summary.stepsBuilt], [1, 0, 1]);
});

test('an error has a code, and a signal that was given ends the work', async (t) => {
  const options = context(tempDir(t));
  await assert.rejects(
    build({ ...options, dockerfile: 'none' }),
    (error) => error instanceof AppError && error.code === 'DOCKERFILE',
  );
  await assert.rejects(build(options, { signal: AbortSignal.abort(new Error('enough')) }));
});

test('what a dev container says is spread into the options of a build', async (t) => {
  const options = context(tempDir(t));
  const file = join(options.context, '.devcontainer/devcontainer.json');
  writeFileSync(
    file,
    JSON.stringify({ build: { dockerfile: '../Dockerfile', context: '..', args: { NAME: 'dev' } } }),
  );
  const { build: part, devcontainer } = await readDevcontainer({ workspaceFolder: options.context });
  assert.equal(devcontainer.configFile, file);
  const { layers } = await build({
    ...options,
    ...part,
    cache: { type: 'store', store: await createMemoryStore() },
  });
  assert.equal(layers.length, 1);
});

test('a registry is served, and a store of it opened and closed', async (t) => {
  const dir = tempDir(t);
  const registry = await serveRegistry({ dir: join(dir, 'registry') });
  t.after(() => registry.close(0));
  const reference = `${new URL(registry.url).host}/team/cache`;
  const built = await build({ ...context(dir), cache: { type: 'registry', reference }, push: true });
  await using opened = await openStore({ type: 'registry', reference });
  const found = await opened.store.resolve(built.imageDigest);
  assert.equal(found?.descriptor.digest, built.imageDigest);
});

/* What the types promise and refuse: it compiles, and hardly anything of it runs. */

/** Whether two types are one and the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Gives<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>;

test('functions give what the documentation says', () => {
  const same: readonly [
    Same<Gives<typeof plan>, PlanSummary>,
    Same<Gives<typeof build>, BuildResult>,
    Same<Gives<typeof probe>, ProbeResult>,
    Same<Gives<typeof readConfiguration>, Configuration>,
    Same<Gives<typeof openStore>, OpenedStore>,
    Same<Gives<typeof createMemoryStore>, Store>,
    Same<Gives<typeof runAsRoot>, number | undefined>,
    Same<keyof typeof EXIT_CODES, ErrorCode>,
    Same<AppError['code'], ErrorCode>,
    Same<OpenedStore extends AsyncDisposable ? true : false, true>,
  ] = [true, true, true, true, true, true, true, true, true, true];
  assert.ok(same.every(Boolean));
});

test('options need a context and know no other names', () => {
  const least: BuildOptions = { context: '.' };
  const most: BuildOptions = {
    ...least,
    buildArgs: { A: 'b' },
    labels: new Map([['a', 'b']]),
    cache: { type: 'registry', reference: 'r/c' },
    outputs: [{ type: 'oci', path: 'o' }],
    backend: { kind: 'copies' },
  };
  const wrong: readonly BuildOptions[] = [
    // @ts-expect-error: nothing to build
    {},
    // @ts-expect-error: a misspelt option
    { context: '.', output: [] },
    // @ts-expect-error: a cache of no kind
    { context: '.', cache: { type: 'disk', path: '/c' } },
    // @ts-expect-error: an output without a place
    { context: '.', outputs: [{ type: 'rootfs' }] },
    // @ts-expect-error: a value that is no text
    { context: '.', buildArgs: { A: 1 } },
    // @ts-expect-error: options may be left out, and are not undefined
    { context: '.', target: undefined },
  ];
  assert.equal(wrong.length + Object.keys(most).length, 12);
});

test('what a dev container says fits into the options of a build, and events tell themselves apart', () => {
  const uses = [
    async () => build((await readDevcontainer({ workspaceFolder: '.' })).build),
    () => build({ context: '.' }, { onEvent: (event: Event) => event.type, signal: AbortSignal.abort() }),
    async () => (await serveRegistry({ dir: 'd' })).close(0),
    // @ts-expect-error: no function of an event that there is not
    () => build({ context: '.' }, { onEvents: () => {} }),
    (event: Event) => (event.type === 'step-output' ? event.text : ''),
    // @ts-expect-error: not all events have a text
    (event: Event) => event.text,
    // @ts-expect-error: an error has one of the codes that are listed
    () => new AppError('WRONG', 'x'),
  ];
  assert.equal(uses.length, 7);
});
