import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { goProgram, noGo } from '../scripts/lib/go-program.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { type CliResult, commandLine, projectRoot } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { type RecordingProxy, startRecordingProxy } from './support/recording-proxy.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const CRANE = 'github.com/google/go-containerregistry/cmd/crane@v0.20.6';

const environment = useEnvironment(['registry']);

interface Setting extends Sandbox {
  readonly proxy: RecordingProxy;
  /** Runs `envbuilder warm` into the directory `bases`. */
  warm(...args: string[]): ReturnType<Sandbox['build']>;
  /** Builds an image on top of a base, and reads all its layers. */
  buildOn(base: string, ...args: string[]): ReturnType<Sandbox['build']>;
}

async function setUp(t: TestContext): Promise<Setting | undefined> {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const proxy = await startRecordingProxy(environment.services.registry!.host);
  const box = createSandbox();
  t.after(async () => {
    box.close();
    await proxy.stop();
  });
  const bases = box.path('bases');
  let count = 0;
  return {
    ...box,
    proxy,
    warm: (...args) =>
      box.build([`--cache-dir=${bases}`, ...args.slice(0, -1)], { command: 'warm', context: args.at(-1)! }),
    buildOn: (base, ...args) => {
      box.write({ Dockerfile: `FROM ${base}\nLABEL count=${++count}\n` });
      const output = `--output=type=oci,dest=${box.path(`out-${count}`)}`;
      return box.build([`--base-image-cache-dir=${bases}`, output, ...args]);
    },
  };
}

const blobsOf = (requests: readonly string[]): readonly string[] =>
  requests.filter((each) => each.includes('/blobs/'));

test('an image is fetched once; by digest it needs no network, by tag one HEAD', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const tag = `${box.proxy.host}/busybox:1`;
  const first = await box.warm(tag);
  assert.equal(first.code, 0, first.output);
  const [outcome, name, digest = ''] = first.stdout.trim().split('\t');
  assert.deepEqual([outcome, name], ['fetched', tag]);
  assert.deepEqual(
    readdirSync(box.path('bases')).sort(),
    ['.warm.lock', 'blobs', 'index.json', 'oci-layout', digest, `${digest}.json`].sort(),
  );
  assert.ok(blobsOf(box.proxy.taken()).length >= 3);

  const again = await box.warm(tag);
  assert.match(again.stdout, /^present\t/);
  assert.deepEqual(blobsOf(box.proxy.taken()).filter((each) => each.startsWith('GET')).length <= 1, true);

  const byDigest = await box.buildOn(`${box.proxy.host}/busybox@${digest}`);
  assert.equal(byDigest.code, 0, byDigest.output);
  assert.deepEqual(box.proxy.taken(), []);
  const byTag = await box.buildOn(tag);
  assert.equal(byTag.code, 0, byTag.output);
  const asked = box.proxy.taken().filter((each) => !/\/v2\/$/.test(each));
  assert.deepEqual(asked, ['HEAD /v2/busybox/manifests/1']);
});

test('a registry that is down: the tag is what it was, with a warning, unless that is forbidden', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const tag = `${box.proxy.host}/multi:1`;
  assert.equal((await box.warm(tag)).code, 0);
  const before = await box.buildOn(tag);
  box.proxy.setDown(true);
  const down = await box.buildOn(tag);
  assert.equal(down.code, 0, down.output);
  assert.match(down.stderr, /warning: .*multi:1 is taken from/);
  assert.equal(before.code, 0);
  for (const flag of ['--base-image-cache-strict', '--pull']) {
    const strict = await box.buildOn(tag, flag);
    assert.equal(strict.code, 7, `${flag}: ${strict.output}`);
  }
  assert.equal((await box.buildOn(`${box.proxy.host}/busybox:1`)).code, 7);
  const [entry] = JSON.parse(readFileSync(join(box.path('bases'), 'index.json'), 'utf8')).manifests;
  box.proxy.taken();
  const index = await box.buildOn(`${box.proxy.host}/multi@${entry.digest}`);
  assert.equal(index.code, 0, index.output);
  assert.deepEqual(box.proxy.taken(), []);
});

test('what is written is read by go-containerregistry, which kaniko reads with, and by skopeo', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const [docker, zstd] = [`${box.proxy.host}/busybox:1`, `${box.proxy.host}/busybox:zstd`];
  const warmed = await box.warm(`--image=${zstd}`, docker);
  assert.equal(warmed.code, 0, warmed.output);
  const digests = warmed.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[2]!);
  assert.equal(digests.length, 2);
  const bases = box.path('bases');
  for (const digest of digests) {
    const archive = join(bases, digest);
    await run('tar', ['-tf', archive]);
    // skopeo takes what follows a colon in a path for a name.
    const plain = box.path('archive.tar');
    copyFileSync(archive, plain);
    await run('skopeo', ['inspect', `docker-archive:${plain}`]);
  }
  await run('skopeo', ['inspect', '--config', `oci:${bases}:${zstd}`]);
  if (noGo()) return t.diagnostic(String(noGo()));
  const crane = await goProgram(CRANE);
  const layersOf = (manifest: string): unknown =>
    JSON.parse(manifest).layers.map(({ digest }: { digest: string }) => digest);
  for (const digest of digests) {
    const copy = `${environment.services.registry!.host}/warmed:${digest.slice(7, 19)}`;
    await run(crane, ['push', join(bases, digest), copy]);
    const manifest = readFileSync(join(bases, `${digest}.json`), 'utf8');
    assert.deepEqual(layersOf(await run(crane, ['manifest', copy])), layersOf(manifest));
  }
  // It decodes the layers too, of gzip only.
  await run(crane, ['validate', '--tarball', join(bases, digests[1]!)]);
});

test('a directory that go-containerregistry wrote, as the warmer of kaniko does, is read', {
  skip: noGo(),
}, async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const crane = await goProgram(CRANE);
  const bases = box.path('bases');
  mkdirSync(bases);
  const image = `${environment.services.registry!.host}/busybox:1`;
  const digest = (await run(crane, ['digest', image])).trim();
  await run(crane, ['pull', image, join(bases, digest)]);
  writeFileSync(join(bases, `${digest}.json`), await run(crane, ['manifest', image]));
  const built = await box.buildOn(`${box.proxy.host}/busybox@${digest}`);
  assert.equal(built.code, 0, built.output);
  assert.deepEqual(box.proxy.taken(), []);
  const byTag = await box.buildOn(`${box.proxy.host}/busybox:1`);
  assert.equal(byTag.code, 0, byTag.output);
  assert.deepEqual(blobsOf(box.proxy.taken()), []);
});

test('one image that fails stops no other, and decides the exit code', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const tag = `${box.proxy.host}/busybox:1`;
  const result = await box.warm(`--image=${box.proxy.host}/missing:1,${tag}`, `${box.proxy.host}/rich:1`);
  assert.equal(result.code, 6, result.output);
  assert.match(result.stderr, /missing:1 is left out/);
  assert.deepEqual(
    result.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]),
    [tag, `${box.proxy.host}/rich:1`],
  );
  box.assertClean();
});

test('images of a Dockerfile: bases of all stages, COPY --from, mounts, build arguments', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const host = box.proxy.host;
  const lines = [
    'ARG TAG=0',
    `FROM ${host}/busybox:$TAG AS a`,
    'FROM a AS b',
    'COPY . /x',
    `COPY --from=${host}/rich:1 /x /y`,
    `FROM ${host}/onbuild:1`,
    `RUN --mount=from=${host}/multi:1,target=/m true`,
    'COPY --from=b /x /x',
  ];
  box.write({ Dockerfile: `${lines.join('\n')}\n` });
  const result = await box.build(
    [
      `--cache-dir=${box.path('bases')}`,
      '--layout=oci',
      '--build-arg=TAG=1',
      `--dockerfile=${box.context}/Dockerfile`,
    ],
    { command: 'warm', context: `${host}/debian:bookworm` },
  );
  assert.equal(result.code, 0, result.output);
  const names = result.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[1]!.split('/')[1]);
  assert.deepEqual(names.sort(), ['busybox:1', 'debian:bookworm', 'multi:1', 'onbuild:1', 'rich:1']);
  assert.ok(!readdirSync(box.path('bases')).some((name) => name.startsWith('sha256:')));
});

test('flags of the image warmer of kaniko do what they do there', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const { host } = box.proxy;
  const dir = box.path('bases');
  const flags = [
    '--progress=auto',
    '-f',
    `-c=${dir}`,
    '--insecure-pull',
    '--skip-tls-verify-pull',
    '--cache-ttl=1h',
    '--log-timestamp',
  ];
  const warm = (args: readonly string[], image = `${host}/busybox:1`) =>
    box.build([...flags, ...args, '-i'], { command: 'warm', context: image });

  const verbose = await warm(['-v=debug', '--log-format=json', '--customPlatform=linux/amd64']);
  assert.equal(verbose.code, 0, verbose.output);
  assert.ok(
    verbose.stderr
      .trim()
      .split('\n')
      .every((line) => JSON.parse(line).type !== undefined),
  );

  const plain = await warm([`--registry-map=origin.invalid=${host}`], 'origin.invalid/busybox:1');
  assert.equal(plain.code, 0, plain.output);
  // The origin has it, and the mirror does not.
  const mirrored = `--registry-map=${host}=${host}/nowhere`;
  assert.equal((await warm([mirrored])).code, 0);
  const strict = await warm([mirrored, '--skip-default-registry-fallback']);
  assert.notEqual(strict.code, 0, strict.output);
  assert.match(strict.stderr, /busybox:1 is left out/);
  assert.equal(
    (await warm(['--skip-default-registry-fallback'])).code,
    0,
    'without mirrors it means nothing',
  );

  const server = createServer((request, response) =>
    request.url === '/Dockerfile' ? response.end(`FROM ${host}/rich:1\n`) : response.writeHead(404).end(),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const remote = await warm([`--dockerfile=${address}/Dockerfile`]);
  assert.equal(remote.code, 0, remote.output);
  assert.match(remote.stdout, /rich:1/);
  const absent = await warm([`--dockerfile=${address}/none`]);
  assert.notEqual(absent.code, 0, absent.output);
  assert.match(absent.stderr, new RegExp(`${address}/none is left out`));
});

test('a damaged file is never used: builds ask the registry, and --force mends it', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const tag = `${box.proxy.host}/busybox:1`;
  assert.equal((await box.warm(tag)).code, 0);
  const blobs = join(box.path('bases'), 'blobs/sha256');
  const [largest = ''] = readdirSync(blobs).sort(
    (a, b) => statSync(join(blobs, b)).size - statSync(join(blobs, a)).size,
  );
  const bytes = readFileSync(join(blobs, largest));
  const broken = Buffer.from(bytes);
  broken.fill(7, 1000, 1100);
  writeFileSync(join(blobs, largest), broken);
  const built = await box.buildOn(tag, `--output=${box.path('root')}`);
  assert.equal(built.code, 0, built.output);
  assert.match(built.stderr, /cannot be read and is left out/);
  assert.ok(existsSync(join(box.path('root'), 'bin/busybox')));
  assert.match((await box.warm('--force', tag)).stdout, /^fetched/);
  assert.deepEqual(readFileSync(join(blobs, largest)), bytes);
  truncateSync(join(blobs, largest), 10);
  assert.match((await box.warm(tag)).stdout, /^fetched/);
  assert.deepEqual(readFileSync(join(blobs, largest)), bytes);
  for (const name of [largest]) utimesSync(join(blobs, name), 0, 0);
  assert.match((await box.warm('--cache-ttl=1ns', tag)).stdout, /^fetched/);
});

test('killed at any moment, and read meanwhile: what is there is whole', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const images = ['busybox:1', 'debian:bookworm'].map((name) => `${box.proxy.host}/${name}`);
  const bases = box.path('bases');
  const env = { ...process.env, HOME: box.dir };
  for (const delay of [250, 400, 600, 900]) {
    const child = spawn(commandLine, ['warm', '--force', `--cache-dir=${bases}`, ...images], {
      env,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const building: Promise<CliResult> = box.buildOn(images[0]!);
    // Wait: it is killed at any moment.
    await sleep(delay);
    child.kill('SIGKILL');
    await ended;
    const built: CliResult = await building;
    assert.equal(built.code, 0, built.output);
    for (const name of existsSync(bases) ? readdirSync(bases) : [])
      if (/^sha256:[0-9a-f]{64}$/.test(name)) await run('tar', ['-tf', join(bases, name)]);
  }
  const two = await Promise.all([box.warm('--force', images[0]!), box.warm('--force', images[1]!)]);
  for (const result of two) assert.equal(result.code, 0, result.output);
  assert.equal(JSON.parse(readFileSync(join(bases, 'index.json'), 'utf8')).manifests.length, 2);
  assert.deepEqual(
    readdirSync(bases).filter((name) => name.startsWith('.tmp')),
    [],
  );
  rmSync(bases, { recursive: true });
});

test('the example for cron: quiet when nothing is new, and a failure is told', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  const script = join(projectRoot, 'examples/base-images/warm.sh');
  const [list, dir] = [box.path('images.txt'), box.path('bases')];
  const tag = `${box.proxy.host}/busybox:1`;
  const cron = () =>
    capture(script, [list, dir, '--layout=oci'], {
      env: { PATH: `${projectRoot}:${process.env.PATH}`, HOME: box.dir, NO_COLOR: '1' },
    });
  writeFileSync(list, `# ours\n${tag} # the small one\n\n`);
  const first = await cron();
  assert.deepEqual([first.code, first.stderr], [0, '']);
  assert.match(first.stdout.toString(), /^fetched\t\S+\tsha256:[0-9a-f]{64}\n$/);
  const again = await cron();
  assert.deepEqual([again.code, again.stderr, again.stdout.toString()], [0, '', '']);
  writeFileSync(list, `${box.proxy.host}/missing:1\n${box.proxy.host}/rich:1\n`);
  const failed = await cron();
  assert.equal(failed.code, 6);
  assert.match(failed.stderr, /missing:1/);
  assert.match(failed.stdout.toString(), /^fetched\t\S+rich:1\t/);
  writeFileSync(list, '# nothing\n');
  assert.equal((await cron()).code, 2);
});

test('what cannot be meant is refused', async (t) => {
  const box = await setUp(t);
  if (!box) return;
  writeFileSync(join(box.context, 'file'), '');
  const image = `${box.proxy.host}/busybox:1`;
  const cases: [string[], RegExp][] = [
    [[`--cache-dir=${box.path('b')}`, '--registry-client-cert=h=/c', image], /registry-client-cert/],
    [[`--cache-dir=${box.path('b')}`, '--verbosity=loud', image], /--verbosity is "loud"/],
    [[`--cache-dir=${box.path('b')}`, '--cache-ttl=soon', image], /no duration/],
    [[`--cache-dir=${box.path('b')}`, '--platform=a/b/c/d', image], /not a platform/],
  ];
  for (const [args, pattern] of cases) {
    const result = await box.build(args.slice(0, -1), { command: 'warm', context: args.at(-1)! });
    assert.equal(result.code, 2, result.output);
    assert.match(result.stderr, pattern);
  }
  const other = await box.build([`--cache-dir=${box.context}`], { command: 'warm', context: image });
  assert.equal(other.code, 19, other.output);
});
