import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { describeTree } from '../src/rootfs/describe-tree.ts';
import { createSyscalls } from '../src/sys/syscalls.ts';
import { listCases, prepareCase } from './support/case.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { caseArgs } from './support/oracle.ts';
import { builtSteps, cachedImage, imageDigest } from './support/results.ts';
import { createSandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'http']);

/** Parity cases that between them have every kind of step, source, owner, link, attribute and deletion. */
const CASES = [
  'add-archives',
  'add-git',
  'add-url',
  'copy-chmod-symbolic',
  'copy-hard-links',
  'copy-sparse-file',
  'from-metadata-only',
  'from-only',
  'from-platform-other',
  'from-scratch-copy',
  'from-zstd',
  'mount-bind-from',
  'mount-cache',
  'mount-secret',
  'onbuild-triggers',
  'run-devices',
  'run-empty',
  'run-type-changes',
  'run-xattrs',
  'stage-chain-of-ten',
  'stage-owners',
  'workdir-owner',
];

for (const one of listCases().filter(({ name }) => CASES.includes(name))) {
  test(`${one.name}: the cache gives the very image and files that were built, and the probe names it`, {
    concurrency: true,
  }, async (t) => {
    const { services } = environment;
    const missing = missingService(services, ['registry', ...(one.options.needs ?? [])]);
    if (missing !== undefined) return t.skip(missing);
    const box = createSandbox();
    t.after(() => box.close());
    const prepared = await prepareCase(one, services, box.path('case'));
    t.after(() => prepared.close());
    const repository = `${services.registry!.host}/cache/${one.name}-${randomBytes(4).toString('hex')}`;
    const args = [...caseArgs(one, prepared, 'envbuilder').slice(0, -1), `--cache-repo=${repository}`];
    const env = { ...one.options.secretEnv };
    const common = { context: prepared.context, env };

    const fresh = await box.build([...args, '--push-image', ...outputs(box.path('fresh'))], common);
    assert.equal(fresh.code, 0, fresh.output);
    // Another machine has no state of the first one.
    const elsewhere = { ...common, env: { ...env, ENVBUILDER_STATE_DIR: box.path('elsewhere') } };
    const cached = await box.build(
      ['--progress=json', ...args, ...outputs(box.path('cached'))].filter((arg) => !/^--secret/.test(arg)),
      elsewhere,
    );
    assert.equal(cached.code, 0, cached.output);
    assert.deepEqual(builtSteps(cached), []);
    const probe = await box.build(args, { ...elsewhere, command: 'probe' });
    assert.equal(probe.code, 0, probe.output);

    const digest = imageDigest(box.path('fresh/metadata.json'));
    assert.equal(imageDigest(box.path('cached/metadata.json')), digest);
    assert.equal(cachedImage(probe), `${repository}@${digest}`);
    const names = (layout: string): string[] =>
      readdirSync(box.path(layout), { recursive: true }).map(String);
    assert.deepEqual(names('cached/layout').sort(), names('fresh/layout').sort());
    const sys = createSyscalls();
    assert.deepEqual(
      describeTree(box.path('cached/rootfs'), sys),
      describeTree(box.path('fresh/rootfs'), sys),
    );
    box.assertClean();
  });
}

test('every case in the list is there', () => {
  const names = listCases().map(({ name }) => name);
  assert.deepEqual(
    CASES.filter((name) => !names.includes(name)),
    [],
  );
});

function outputs(dir: string): readonly string[] {
  return [
    `--output=type=oci,dest=${dir}/layout`,
    `--output=type=rootfs,dest=${dir}/rootfs`,
    `--metadata-file=${dir}/metadata.json`,
  ];
}
