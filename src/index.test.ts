import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from './core/testing.ts';
import {
  AppError,
  type BuildOptions,
  build,
  createMemoryStore,
  type Event,
  openStore,
  plan,
  probe,
  readDevcontainer,
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
