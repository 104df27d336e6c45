import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { DockerEngine } from '../scripts/lib/docker-engine.ts';
import type { Services } from '../scripts/lib/services.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { CHANGES, type Change, CONTEXT, type Outcome, type Side } from './support/key-matrix.ts';
import { eventsOf } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'http', 'docker']);

/** What a change is made to. */
interface Place {
  readonly box: Sandbox;
  /** What stands for something else, and what that is. */
  readonly words: Readonly<Record<string, string>>;
  readonly docker: DockerEngine;
  /** The variables of an edit. */
  readonly variables: Readonly<Record<string, string>>;
  readonly remove: () => void;
}

describe('what becomes of the last step after a change', { concurrency: 3 }, () => {
  for (const [what, change] of Object.entries(CHANGES)) {
    test(`${what}: ${change.ours}, with Docker ${change.docker}`, async (t) => {
      const { services } = environment;
      const missing = missingService(services, ['registry', 'http', 'docker']);
      if (missing !== undefined) return t.skip(missing);
      const place = await preparePlace(services, change);
      t.after(place.remove);
      const { before, after = before, edit } = change;
      const first = await build(place, side(before));
      assert.deepEqual(first, { ours: 'miss', docker: 'miss' }, 'the first build');
      if (typeof edit === 'string')
        await run('/bin/sh', ['-euc', edit], { cwd: place.box.context, env: place.variables });
      else edit?.(place.box.context);
      const second = await build(place, side(after));
      assert.deepEqual(second, { ours: change.ours, docker: change.docker });
    });
  }
});

test('there are many kinds of changes, each difference from Docker with its reason', () => {
  const all = Object.entries(CHANGES);
  for (const outcome of ['hit', 'miss'])
    assert.ok(all.filter(([, { ours }]) => ours === outcome).length >= 25, outcome);
  for (const [what, { ours, docker, because }] of all)
    assert.equal(because !== undefined, ours !== docker, `${what}: a reason is for differences`);
});

function side(given: Side | string): Side {
  return typeof given === 'string' ? { lines: given } : given;
}

async function preparePlace(services: Services, { prepare = ':' }: Change): Promise<Place> {
  const box = createSandbox();
  const name = `matrix-${randomBytes(6).toString('hex')}`;
  const file = join(services.http!.files, name);
  const content = `${name}\n`;
  const secret = box.path('secret');
  writeFileSync(file, content);
  writeFileSync(secret, 'secret');
  await run('/bin/sh', ['-euc', `${CONTEXT}\n${prepare}`], { cwd: box.context });
  writeFileSync(join(box.context, 'nonce'), content);
  return {
    box,
    docker: services.docker!,
    words: {
      '@BASE@': `${services.registry!.host}/busybox:1`,
      '@REGISTRY@': services.registry!.host,
      '@HTTP@': services.http!.host,
      '@URL@': `http://${services.http!.host}/files/${name}`,
      '@DIGEST@': createHash('sha256').update(content).digest('hex'),
      '@SECRET@': secret,
      '@NAME@': name,
    },
    variables: { SECRET: secret, FILE: file },
    remove: () => {
      rmSync(file, { force: true });
      box.close();
    },
  };
}

/** Builds with both, and tells what became of the last step. */
async function build(
  { box, docker, words }: Place,
  { first = '', base = '@BASE@', lines, args = [] }: Side,
): Promise<{ readonly ours: Outcome; readonly docker: Outcome }> {
  const fill = (text: string): string =>
    Object.entries(words).reduce((filled, [word, to]) => filled.replaceAll(word, to), text);
  const dockerfile = box.path('Dockerfile');
  writeFileSync(dockerfile, `${fill(`${first}\nFROM ${base} AS final\nCOPY nonce /\n${lines}`)}\n`);
  const common = [`--file=${dockerfile}`, ...args.map(fill)];
  // Of a directory that it has seen before Docker takes what has changed, and forgets modes of directories over that.
  const copy = box.path(`context-${randomBytes(6).toString('hex')}`);
  await run('cp', ['-a', box.context, copy]);
  return { ours: await buildOurs(box, common), docker: await buildWithDocker(docker, [...common, copy]) };
}

async function buildOurs(box: Sandbox, args: readonly string[]): Promise<Outcome> {
  const asked = ['--progress=json', `--layer-cache-dir=${box.cache}`, ...args];
  const result = await box.build(asked, { timeoutMs: 600_000 });
  assert.equal(result.code, 0, result.output);
  const last = eventsOf(result, 'step-finished').at(-1);
  assert.ok(last, result.output);
  return last.outcome === 'hit' ? 'hit' : 'miss';
}

/** A step of a build, as buildx tells of it. */
interface Vertex {
  readonly name: string;
  readonly inputs?: readonly string[];
  readonly cached?: boolean;
}

async function buildWithDocker({ command, env }: DockerEngine, args: readonly string[]): Promise<Outcome> {
  const flags = ['--network=host', '--provenance=false', '--progress=rawjson'];
  const { code, stderr } = await capture(command, ['buildx', 'build', ...flags, ...args], { env });
  assert.equal(code, 0, stderr.slice(-2000));
  // Where there is one stage, steps go without its name.
  const messages = stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly vertexes?: readonly Vertex[] });
  const steps = messages
    .flatMap(({ vertexes = [] }) => vertexes)
    .filter(({ name, inputs = [] }) => {
      const [, at, of] = /^\[(?:final )?(\d+)\/(\d+)\]/.exec(name) ?? [];
      // What ADD fetches has the same name, but stands on nothing.
      return at !== undefined && at === of && inputs.length > 0;
    });
  assert.ok(steps.length > 0, 'docker built no last step');
  return steps.some(({ cached }) => cached === true) ? 'hit' : 'miss';
}
