/* The runtime image for both architectures under one index, put together on this one. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDir, testCacheDir } from '../scripts/lib/cache-dir.ts';
import { run } from '../scripts/lib/shell.ts';
import { commandLine, projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('platforms');
after(() => rm(dir, { recursive: true, force: true }));

/** By architecture: e_machine of an ELF header (ELF specification, figure 1-4), and what Node calls it. */
const MACHINES = [
  ['amd64', 62, 'x64'],
  ['arm64', 183, 'arm64'],
] as const;

interface Index {
  readonly manifests: readonly {
    readonly digest: string;
    readonly platform: { readonly os: string; readonly architecture: string };
  }[];
}

test('an index names an image for each architecture, whose programs are of that architecture', async () => {
  const { host } = environment.services.registry!;
  const repository = `${host}/envbuilder-all`;
  const layers = `--layer-cache-dir=${join(testCacheDir(), 'runtime-image-layers')}`;
  const args = ['--all', `${repository}:1`, `--build-arg=DEBIAN=${host}/debian:bookworm`, layers];
  const digest = (await run('npm', ['run', '--silent', 'image', '--', ...args], { cwd: projectRoot })).trim();
  const raw = ['inspect', '--raw', '--tls-verify=false'];
  const index = await run('skopeo', [...raw, `docker://${repository}@${digest}`]);
  assert.equal(await run('skopeo', [...raw, `docker://${repository}:1`]), index);
  const { manifests } = JSON.parse(index) as Index;
  assert.deepEqual(
    manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`),
    MACHINES.map(([architecture]) => `linux/${architecture}`),
  );
  for (const [at, [architecture, machine, name]] of MACHINES.entries()) {
    const context = join(dir, architecture);
    mkdirSync(context);
    writeFileSync(join(context, 'Dockerfile'), `FROM ${repository}@${manifests[at]!.digest}\n`);
    const place = join(context, 'rootfs');
    const output = [`--platform=linux/${architecture}`, `--output=type=rootfs,dest=${place}`];
    await run(commandLine, ['build', context, ...output]);
    const koffi = `app/node_modules/@koromix/koffi-linux-${name}/linux_${name}/koffi.node`;
    for (const program of ['bin/node', 'bin/git', 'bin/ssh', 'lib/libc.so.6', koffi]) {
      const header = readFileSync(join(place, '.envbuilder', program)).subarray(0, 20);
      assert.equal(header.readUInt16LE(18), machine, `${architecture}: ${program}`);
    }
  }
});
