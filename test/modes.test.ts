import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../scripts/lib/shell.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { makeRepository } from './support/repository.ts';
import { builtSteps, cachedImage, imageDigest } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'http']);

const FILES = {
  Dockerfile: 'FROM scratch\nCOPY . /app\n',
  '.dockerignore': '.git\n',
  'src/deep/a.c': 'a\n',
  'bin/run': '#!/bin/sh\n',
};

/** A volume as Kubernetes makes it for `fsGroup`: its root belongs to a group, and directories inherit that. */
function volume(box: Sandbox, name: string): string {
  const path = box.path(name);
  mkdirSync(path);
  chownSync(path, 0, 2000);
  chmodSync(path, 0o2775);
  return path;
}

const shell = (script: string, cwd: string): Promise<string> => run('/bin/sh', ['-euc', script], { cwd });

test('a clone on a volume finds what a clone elsewhere has stored', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['http']);
  if (missing !== undefined) return t.skip(missing);
  const box = createSandbox();
  t.after(() => box.close());
  const url = await makeRepository(services, 'modes', FILES);
  const cache = `--layer-cache-dir=${box.cache}`;
  const clone = (folder: string) => shell(`umask 022; git clone --quiet ${url} ${folder}`, box.dir);
  const build = (context: string) =>
    box.build(['--progress=json', cache, '--push-image', `--metadata-file=${box.path('m')}`], { context });

  await clone(box.path('plain'));
  const first = await build(box.path('plain'));
  assert.equal(first.code, 0, first.output);
  assert.deepEqual(builtSteps(first), ['0.0']);
  const digest = imageDigest(box.path('m'));

  // The user's own clone on a volume has inherited the set-gid bit.
  const own = join(volume(box, 'volume'), 'app');
  await clone(own);
  const second = await build(own);
  assert.equal(second.code, 0, second.output);
  assert.deepEqual(builtSteps(second), []);
  assert.equal(imageDigest(box.path('m')), digest);

  // A start finds it with a clone of its own, and when all files of the volume were given to the group since, or to nobody else.
  const probe = (folder: string) =>
    box.build([cache], {
      command: 'start',
      env: {
        ENVBUILDER_GET_CACHED_IMAGE: '1',
        ENVBUILDER_GIT_URL: url,
        ENVBUILDER_WORKSPACE_FOLDER: folder,
        ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
      },
      under: ['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh'],
    });
  const fresh = await probe(join(volume(box, 'fresh'), 'app'));
  assert.ok(cachedImage(fresh)?.endsWith(digest), fresh.output);
  for (const change of ['g+rwX', 'go=']) {
    await shell(`chmod -R ${change} .`, own);
    const again = await probe(own);
    assert.ok(cachedImage(again)?.endsWith(digest), `${change}: ${again.output}`);
  }
});

test('neither the umask nor the working directory reaches a layer', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry', 'http']);
  if (missing !== undefined) return t.skip(missing);
  const box = createSandbox();
  t.after(() => box.close());
  await shell('mkdir -p t/in; echo f > t/in/f; tar -cf t.tar t/in/f; rm -r t', box.context);
  box.write({
    Dockerfile: [
      `FROM ${services.registry!.host}/busybox:1`,
      `ADD http://${services.http!.host}/git/refs.git#v1 /git`,
      'ADD t.tar /tar/',
      'WORKDIR /work/dir',
      'COPY <<E /heredoc/file',
      'E',
      'RUN --mount=target=/m mkdir /made && stat -c "%a %u %g" /m / > /mounted',
      'RUN find /git /tar /work /heredoc /made /mounted -exec stat -c "%a %u %g %n" {} + | sort -k4 > /modes',
      '',
    ].join('\n'),
  });
  const modes = async (name: string, under: readonly string[], work: string): Promise<string> => {
    const args = ['--no-cache', `--output=type=rootfs,dest=${box.path(name)}`];
    const built = await box.build(args, { under, env: { ENVBUILDER_WORK_DIR: work } });
    assert.equal(built.code, 0, built.output);
    return ['mounted', 'modes'].map((file) => readFileSync(join(box.path(name), file), 'utf8')).join('');
  };
  const plain = await modes('plain', ['/bin/sh', '-c', 'umask 022; exec "$@"', 'sh'], box.path('w'));
  assert.match(plain, /^755 0 0$/m);
  assert.match(plain, /^644 0 0 \/git\/README$/m);
  const odd = await modes('odd', ['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh'], volume(box, 'volume'));
  assert.equal(odd, plain);
});
