import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { capture } from '../scripts/lib/shell.ts';
import { useContainers } from './support/container.ts';
import { makeRepository } from './support/repository.ts';

/** Every command that the README shows for containers, as it stands there but for the names of servers and images. */

const containers = useContainers();

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
const page = readme.split(/^(?=## )/m).find((section) => section.startsWith('## In a container\n'))!;
const blocks = [...page.matchAll(/^(.+)\n\n```sh\n([\s\S]*?)^```$/gm)].map(([, about, script]) => ({
  about: about!,
  script: script!,
}));

test('every command of the README works in a container', async (t: TestContext) => {
  if (containers.missing !== undefined) return t.skip(containers.missing);
  const { docker, registry } = containers.services;
  const unique = `docs-${process.pid}`;
  const base = `${registry!.host}/busybox:1`;
  const repository = await makeRepository(containers.services, unique, {
    '.devcontainer/devcontainer.json': JSON.stringify({
      build: { dockerfile: '../Dockerfile', context: '..' },
      postStartCommand: 'echo hook ran',
    }),
    Dockerfile: `FROM ${base}\nRUN echo built > /built\nCOPY Dockerfile /copied\n`,
  });
  const directory = containers.directory({ Dockerfile: `FROM ${base}\nRUN echo built > /built\n` });
  assert.equal(blocks.length, 6);
  for (const { about, script } of blocks) {
    const real = script
      .replaceAll('https://git.example.com/team/app.git', repository)
      .replaceAll('registry.example.com/team/app-cache', `${registry!.host}/${unique}`)
      .replaceAll('registry.example.com/library/base:1', base)
      .replaceAll(/envbuilder-(cache|bases)/g, `$1-${unique}`)
      .replaceAll(/^ {2}envbuilder\b/gm, '  envbuilder-runtime:test');
    // The engine of the tests has no network of its own.
    const wrapper = `set -e\ndocker() { verb=$1; shift; command '${docker!.command}' "$verb" --network=host "$@"; }\n`;
    await t.test(about, async () => {
      const { code, stdout, stderr } = await capture('/bin/sh', ['-c', wrapper + real], {
        env: docker!.env,
        cwd: directory,
      });
      assert.equal(code, 0, stderr);
      assert.match(stdout.toString(), /(^|\n)ready\n$/, stderr);
      if (real.includes('GIT_URL')) assert.match(stderr, /hook ran/);
    });
  }
  const volumes = ['cache', 'bases'].map((name) => `${name}-${unique}`);
  await containers.docker(['volume', 'rm', '--force', ...volumes]);
});
