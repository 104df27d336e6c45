import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GOLDEN_BUILDS } from './golden-builds.ts';
import { contentKey, KEY_SCHEMA } from './keys.ts';
import { planOf, type TestBuild } from './testing.ts';

/** The keys of a build: by stage that of its base, and of each step its key and its content key on an empty root. */
type Keys = Readonly<
  Record<string, { readonly base: string; readonly steps: Readonly<Record<string, readonly string[]>> }>
>;

interface Golden {
  readonly schema: number;
  readonly builds: Readonly<Record<string, Keys>>;
}

const FILE = join(import.meta.dirname, 'testdata', 'golden-keys.json');
const CHANGELOG = join(import.meta.dirname, '..', '..', 'CHANGELOG.md');

const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Golden;

/** With ENVBUILDER_UPDATE_GOLDEN=1: writes down what is new, or everything where the schema has another number. */
const update = process.env.ENVBUILDER_UPDATE_GOLDEN === '1';

test('keys are those that are written down, or the schema has another number', async () => {
  const builds: Record<string, Keys> = {};
  for (const [name, build] of Object.entries(GOLDEN_BUILDS)) builds[name] = await keysOf(build);
  if (update) {
    const kept = golden.schema === KEY_SCHEMA ? golden.builds : {};
    const text = JSON.stringify({ schema: KEY_SCHEMA, builds: { ...builds, ...kept } }, null, 2);
    return writeFileSync(FILE, `${text}\n`);
  }
  assert.equal(
    golden.schema,
    KEY_SCHEMA,
    'golden-keys.json is of another schema: write it anew with ENVBUILDER_UPDATE_GOLDEN=1',
  );
  assert.deepEqual(
    Object.keys(golden.builds).sort(),
    Object.keys(builds).sort(),
    'builds without golden keys',
  );
  for (const [name, keys] of Object.entries(builds)) {
    assert.deepEqual(
      keys,
      golden.builds[name],
      `the keys of "${name}" have changed, and with them every cache: give KEY_SCHEMA another number`,
    );
  }
});

test('the changelog says why the schema has its number', () => {
  if (KEY_SCHEMA > 2)
    assert.match(readFileSync(CHANGELOG, 'utf8'), new RegExp(`key schema ${KEY_SCHEMA}\\b`, 'i'));
});

test('there are enough builds, and no two of them have the same keys', async () => {
  const builds = Object.values(golden.builds);
  assert.ok(builds.length >= 60, `${builds.length} builds`);
  assert.equal(new Set(builds.map((keys) => JSON.stringify(keys))).size, builds.length);
});

async function keysOf(build: TestBuild): Promise<Keys> {
  const keys: Record<string, Keys[string]> = {};
  for (const stage of (await planOf(build)).stages.values()) {
    const steps = stage.steps.map(({ text, key, operationDigest }, index) => {
      const [line] = text.split('\n');
      return [`${index} ${line}`, [key, contentKey(stage.contentScope, 'scratch', operationDigest)]] as const;
    });
    keys[`${stage.index} ${stage.name}`] = { base: stage.baseKey, steps: Object.fromEntries(steps) };
  }
  return keys;
}
