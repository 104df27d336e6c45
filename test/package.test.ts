/* What npm gets: packed, installed into an empty prefix from a registry of its own, and used. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';
import { type NpmRegistry, startNpmRegistry } from './support/npm-registry.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('package');
const prefix = join(dir, 'prefix');
const context = join(dir, 'context');
let registry: NpmRegistry | undefined;
let npmEnv: Readonly<Record<string, string>>;

before(async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', dir], { cwd: projectRoot });
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  registry = await startNpmRegistry({
    name: 'envbuilder',
    tarball: readFileSync(join(dir, `envbuilder-${version}.tgz`)),
  });
  npmEnv = {
    npm_config_registry: registry.url,
    npm_config_cache: join(dir, 'npm-cache'),
    npm_config_userconfig: join(dir, 'npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    HOME: join(dir, 'home'),
  };
  mkdirSync(join(dir, 'home'));
  mkdirSync(context);
  writeFileSync(join(context, 'a.txt'), 'a\n');
  await run('npm', ['install', '--global', '--prefix', prefix, 'envbuilder'], { cwd: dir, env: npmEnv });
});

after(async () => {
  registry?.stop();
  await rm(dir, { recursive: true, force: true });
});

const installed = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> =>
  capture(join(prefix, 'bin/envbuilder'), args, {
    cwd: context,
    env: { NO_COLOR: '1', HOME: join(dir, 'home'), ...env },
  });

function writeDockerfile(): void {
  const image = `${environment.services.registry!.host}/busybox:1`;
  writeFileSync(join(context, 'Dockerfile'), `FROM ${image}\nCOPY a.txt /\nRUN cat /a.txt /a.txt > /b.txt\n`);
}

test('the installed command builds, takes all of it from the cache, and probes', async () => {
  writeDockerfile();
  const { version } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
  assert.equal(String((await installed(['--version'])).stdout), `envbuilder ${version}\n`);
  const cache = ['--layer-cache-dir', join(dir, 'cache')];
  const rootfs = join(dir, 'rootfs');
  const first = await installed(['build', '.', ...cache, '--push', '--output', `type=rootfs,dest=${rootfs}`]);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(readFileSync(join(rootfs, 'b.txt'), 'utf8'), 'a\na\n');
  const second = await installed(['build', '.', ...cache]);
  assert.match(second.stderr, /2 from the cache, 0 built/);
  assert.deepEqual(second.stdout, first.stdout);
  const probe = await installed(['probe', '.', ...cache]);
  assert.equal(String(probe.stdout), `ENVBUILDER_CACHED_IMAGE=local/cache@${first.stdout}`);
  const failed = await installed(['build', '.', '-f', 'none']);
  assert.equal(failed.code, 4, "the exit code of the command is that of npm's command");
});

test('npx runs it without an installation', async () => {
  writeDockerfile();
  const args = ['--yes', 'envbuilder', 'build', '.', '--layer-cache-dir', join(dir, 'npx-cache')];
  const { code, stdout, stderr } = await capture('npx', args, { cwd: context, env: npmEnv });
  assert.equal(code, 0, stderr);
  assert.match(String(stdout), /^sha256:[0-9a-f]{64}\n$/);
});

test('the example runs against the installed library, and compiles with its types alone', async () => {
  writeDockerfile();
  const project = join(dir, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  copyFileSync(join(projectRoot, 'examples/library/build.ts'), join(project, 'build.ts'));
  await run('npm', ['install', 'envbuilder', '@types/node'], { cwd: project, env: npmEnv });
  const cache = join(dir, 'project-cache');
  const example = (destination: string): Promise<string> =>
    run(process.execPath, ['build.ts', context, cache, join(dir, destination)], {
      cwd: project,
      env: npmEnv,
    });
  assert.match(await example('one'), /: 0 steps from the cache, 2 built\n$/);
  assert.match(await example('two'), /: 2 steps from the cache, 0 built\n$/);
  assert.equal(readFileSync(join(dir, 'two/b.txt'), 'utf8'), 'a\na\n');
  const compile = [
    ...['--noEmit', '--strict', '--module', 'nodenext', '--target', 'esnext', '--exactOptionalPropertyTypes'],
    ...['--types', 'node', 'build.ts'],
  ];
  await run(join(projectRoot, 'node_modules/.bin/tsc'), compile, { cwd: project });
  const wrong = readFileSync(join(project, 'build.ts'), 'utf8').replace('outputs:', 'output:');
  writeFileSync(join(project, 'wrong.ts'), wrong);
  const { code } = await capture(
    join(projectRoot, 'node_modules/.bin/tsc'),
    [...compile.slice(0, -1), 'wrong.ts'],
    {
      cwd: project,
    },
  );
  assert.notEqual(code, 0, 'the types are not those of anything');
});

test('where it cannot run it says how to, and shows no stack', async () => {
  const bin = join(prefix, 'lib/node_modules/envbuilder/dist/bin.js');
  const places = [
    ['darwin', 'arm64', /this is darwin/],
    ['win32', 'x64', /this is win32/],
    ['linux', 'ppc64', /no Node 26 for ppc64/],
  ] as const;
  for (const [platform, arch, reason] of places) {
    const fake = join(dir, `${platform}-${arch}.cjs`);
    writeFileSync(
      fake,
      `for (const [k, v] of [['platform', '${platform}'], ['arch', '${arch}']]) Object.defineProperty(process, k, { value: v });`,
    );
    const { code, stderr } = await capture('node', ['--require', fake, bin, 'build', '.']);
    assert.equal(code, 1);
    assert.match(stderr, reason);
    assert.match(stderr, /docker run/);
    assert.doesNotMatch(stderr, /^\s+at /m);
  }
});
