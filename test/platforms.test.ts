/* Several platforms in one build: an index of images, each of which is what a build for it alone gives. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startCountingProxy } from '../scripts/lib/counting-proxy.ts';
import { run } from '../scripts/lib/shell.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { defaultPlatform, formatPlatform } from '../src/oci/platform.ts';
import { startsPrograms } from '../src/sys/emulation.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { cachedImage, eventsOf } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry']);

const OWN = formatPlatform(defaultPlatform());
const OTHER = OWN === 'linux/arm64' ? 'linux/amd64' : 'linux/arm64';
const BOTH = [OWN, OTHER];
const nameOf = (platform: string): string => platform.split('/')[1]!;
/** As in test/probe.test.ts. */
const HOLD_MS = 1500;

/** Made on the build's own platform for each platform, as compilers do it; no program of the other one is run. */
const dockerfile = (host: string): string => `
FROM --platform=$BUILDPLATFORM ${host}/multi:1 AS tools
RUN cat /proc/sys/kernel/random/uuid > /tools
FROM --platform=$BUILDPLATFORM ${host}/multi:1 AS compile
COPY --from=tools /tools /tools
RUN cat /proc/sys/kernel/random/uuid > /common
ARG TARGETARCH
RUN echo "$TARGETARCH $(cat /common)" > /out
FROM ${host}/multi:1
COPY --from=compile /out /out
COPY --from=tools /tools /tools
ENV FOR=$BUILT_FOR
`;

interface Bench {
  readonly box: Sandbox;
  readonly host: string;
  readonly repository: string;
}

function open(t: TestContext, text = dockerfile): Bench | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { host } = environment.services.registry!;
  const box = createSandbox({ Dockerfile: text(host) });
  t.after(() => box.close());
  return { box, host, repository: `${host}/platforms/${randomBytes(4).toString('hex')}` };
}

interface Index {
  readonly mediaType: string;
  readonly manifests: readonly {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly platform: { readonly os: string; readonly architecture: string };
  }[];
}

const files = (dir: string, platform: string): readonly string[] =>
  ['out', 'tools'].map((name) => readFileSync(join(dir, platform.replace('/', '_'), name), 'utf8').trim());

test('an index of the images that a build for each platform gives, with common stages built once', async (t) => {
  const bench = open(t);
  if (!bench) return;
  const { box, repository, host } = bench;
  const tag = `${host}/platforms/tagged-${randomBytes(4).toString('hex')}:1`;
  const built = await box.build([
    `--platform=${BOTH.join(',')}`,
    `--platform=${OTHER}`,
    `--cache-repo=${repository}`,
    '--push',
    `--tag=${tag}`,
    `--metadata-file=${box.path('metadata.json')}`,
    `--output=type=oci,dest=${box.path('layout')}`,
    `--output=${box.path('roots')}`,
  ]);
  assert.equal(built.code, 0, built.output);
  const digest = built.stdout.trim();

  // The index, as it was pushed, as it was written, and as the metadata describe it.
  const raw = await run('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${tag}`]);
  const own = await run('skopeo', [
    'inspect',
    '--raw',
    '--tls-verify=false',
    `docker://${repository}@${digest}`,
  ]);
  assert.equal(own, raw);
  assert.equal(await run('skopeo', ['inspect', '--raw', `oci:${box.path('layout')}:${tag}`]), raw);
  const index = JSON.parse(raw) as Index;
  assert.equal(index.mediaType, 'application/vnd.oci.image.index.v1+json');
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform),
    BOTH.map((platform) => ({ os: 'linux', architecture: nameOf(platform) })),
  );
  const metadata = JSON.parse(readFileSync(box.path('metadata.json'), 'utf8')) as Record<string, unknown>;
  assert.deepEqual(
    [metadata['containerimage.digest'], metadata['containerimage.descriptor'], metadata['image.name']],
    [digest, { mediaType: index.mediaType, digest, size: Buffer.byteLength(raw) }, tag],
  );
  assert.equal(metadata['containerimage.config.digest'], undefined);
  await run('skopeo', [
    'copy',
    '--all',
    '--quiet',
    '--insecure-policy',
    `oci:${box.path('layout')}:${tag}`,
    `dir:${box.path('copied')}`,
  ]);

  // A directory for each platform; what they have in common is the same, down to the random part.
  assert.deepEqual(readdirSync(box.path('roots')).sort(), BOTH.map((each) => each.replace('/', '_')).sort());
  const [[out, tools], [otherOut, otherTools]] = BOTH.map((each) => files(box.path('roots'), each)) as [
    string[],
    string[],
  ];
  assert.equal(tools, otherTools);
  const [arch, common] = out!.split(' ');
  assert.deepEqual([arch, otherOut], [nameOf(OWN), `${nameOf(OTHER)} ${common}`]);

  // Steps are named after their platforms, and the common stage is there once.
  const labels = new Set(built.stderr.match(/\[linux[^\]]* \d+\/\d+\]/g));
  assert.deepEqual(
    [...labels].sort(),
    [
      `[${OWN} tools 1/1]`,
      ...[1, 2, 3].flatMap((i) => [`[${OWN} compile ${i}/3]`, `[${OWN}->${nameOf(OTHER)} compile ${i}/3]`]),
      ...[1, 2].flatMap((i) => BOTH.map((each) => `[${each} stage-2 ${i}/2]`)),
    ].sort(),
  );

  // A build for one platform finds everything, and gives the image of the index; so does a probe.
  for (const [i, platform] of BOTH.entries()) {
    const args = [`--platform=${platform}`, `--cache-repo=${repository}`];
    const alone = await box.build([...args, '--progress=json']);
    assert.equal(alone.stdout.trim(), index.manifests[i]!.digest, alone.output);
    assert.ok(eventsOf(alone, 'step-finished').every(({ outcome }) => outcome === 'hit'));
    const probe = await box.build(args, { command: 'probe' });
    assert.equal(cachedImage(probe), `${repository}@${index.manifests[i]!.digest}`, probe.output);
  }
  const again = await box.build([`--platform=${BOTH}`, `--cache-repo=${repository}`, '--push']);
  assert.equal(again.stdout.trim(), digest, again.output);
  const asked = await box.build([`--platform=${BOTH}`, `--cache-repo=${repository}`], { command: 'probe' });
  assert.equal(cachedImage(asked), `${repository}@${digest}`, asked.output);
});

test('a probe asks for all platforms at once', async (t) => {
  const text = (host: string): string => `FROM ${host}/multi:1\nCOPY Dockerfile /\n`;
  const bench = open(t, text);
  if (!bench) return;
  const { box, host, repository } = bench;
  box.write({ '.dockerignore': '', file: 'x', Dockerfile: text(host).replace('Dockerfile', 'file') });
  const cache = `--cache-repo=${repository}`;
  const both = await box.build([`--platform=${BOTH}`, cache, '--push']);
  await box.build([`--platform=${OTHER}`, cache, '--push']);
  const probe = async (platforms: string): Promise<{ readonly rounds: number; readonly digest: string }> => {
    const proxy = await startCountingProxy({ target: host, holdMs: HOLD_MS });
    try {
      box.write({ Dockerfile: text(proxy.host).replace('Dockerfile', 'file') });
      const args = [`--platform=${platforms}`, cache.replace(host, proxy.host)];
      const result = await box.build(args, { command: 'probe' });
      return { rounds: proxy.rounds(), digest: cachedImage(result)?.split('@')[1] ?? result.output };
    } finally {
      await proxy.stop();
    }
  };
  const one = await probe(OTHER);
  const all = await probe(BOTH.join(','));
  assert.equal(all.digest, both.stdout.trim());
  // The first request to a registry goes alone, so that what it asks for is known.
  assert.ok(all.rounds <= one.rounds + 1, `${all.rounds} round trips, and ${one.rounds} for one platform`);
});

test('common stages are built once without a cache, and a reproducible index is always the same', async (t) => {
  const bench = open(t);
  if (!bench) return;
  const { box, host } = bench;
  const built = await box.build([`--platform=${BOTH}`, `--output=${box.path('roots')}`, '--no-cache']);
  assert.equal(built.code, 0, built.output);
  const [[out, tools], [otherOut, otherTools]] = BOTH.map((each) => files(box.path('roots'), each)) as [
    string[],
    string[],
  ];
  assert.equal(tools, otherTools);
  assert.equal(out!.split(' ')[1], otherOut!.split(' ')[1]);

  box.write({ Dockerfile: dockerfile(host).replaceAll('/proc/sys/kernel/random/uuid', '/etc/passwd') });
  const digests = [];
  for (const name of ['one', 'two']) {
    const args = [`--platform=${BOTH}`, '--reproducible', `--layer-cache-dir=${box.path(name)}`];
    const result = await box.build([...args, '--push']);
    assert.equal(result.code, 0, result.output);
    digests.push(result.stdout);
  }
  assert.equal(digests[0], digests[1]);
});

test('a probe of several platforms names what is missing for each', async (t) => {
  const bench = open(t);
  if (!bench) return;
  const { box, repository } = bench;
  const args = [`--platform=${BOTH}`, `--cache-repo=${repository}`];
  const nothing = await box.build(args, { command: 'probe' });
  assert.equal(nothing.code, EXIT_CODES.CACHE_MISS.exit);
  for (const platform of BOTH) assert.match(nothing.stderr, new RegExp(`for ${platform}: RUN cat`));
  await box.build([`--platform=${OWN}`, `--cache-repo=${repository}`, '--push']);
  const half = await box.build(args, { command: 'probe' });
  assert.equal(half.code, EXIT_CODES.CACHE_MISS.exit, half.output);
  assert.match(half.stderr, new RegExp(`for ${OTHER}: RUN echo .*stage ${OWN}->${nameOf(OTHER)} compile`));
  assert.doesNotMatch(half.stderr, new RegExp(`for ${OWN}:`));
  await box.build([`--platform=${OTHER}`, `--cache-repo=${repository}`, '--push']);
  const apart = await box.build(args, { command: 'probe' });
  assert.equal(apart.code, EXIT_CODES.NOT_PUSHED.exit, apart.output);
  const pushed = await box.build([...args, '--push', '--output=json'], { command: 'probe' });
  assert.equal((JSON.parse(pushed.stdout) as { exists: boolean }).exists, true, pushed.output);
});

/** An architecture that this machine runs no programs of, and its e_machine (ELF specification). */
async function withoutEmulator(): Promise<readonly [string, number]> {
  for (const one of [
    ['loong64', 258],
    ['riscv64', 243],
    ['ppc64le', 21],
  ] as const)
    if (!(await startsPrograms(one[0], tmpdir()))) return one;
  throw new Error('this machine has emulators for all architectures');
}

test('a RUN without an emulator is found before anything runs, unless an image only says that it is foreign', async (t) => {
  const [architecture, machine] = await withoutEmulator();
  const foreign = `linux/${architecture}`;
  const bench = open(t, () => 'FROM scratch\nCOPY sh /bin/sh\n');
  if (!bench) return;
  const { box, repository, host } = bench;
  const program = Buffer.alloc(64);
  program.write('\x7fELF\x02\x01\x01', 'latin1');
  program.writeUInt16LE(2, 16);
  program.writeUInt16LE(machine, 18);
  writeFileSync(join(box.context, 'sh'), program, { mode: 0o755 });
  const base = `${repository}:base`;
  const made = await box.build([`--platform=${foreign}`, '--push', `--tag=${base}`]);
  assert.equal(made.code, 0, made.output);

  box.write({
    Dockerfile: `
FROM --platform=$BUILDPLATFORM ${host}/busybox:1 AS first
RUN echo it runs > /ran
FROM --platform=${foreign} ${base}
COPY --from=first /ran /ran
RUN echo never
`,
  });
  const refused = await box.build([`--platform=${OWN},${foreign}`, '--progress=json']);
  assert.equal(refused.code, EXIT_CODES.BUILD_FAILED.exit, refused.output);
  assert.match(
    refused.stderr,
    new RegExp(`RUN echo never \\(stage ${foreign}[^)]*\\) is for ${foreign}.*no emulator`),
  );
  assert.match(refused.stderr, /qemu-user-static/);
  assert.match(JSON.stringify(eventsOf(refused, 'error')), /"start":\{"line":6,/);
  assert.deepEqual(eventsOf(refused, 'step-started'), []);

  box.write({ Dockerfile: `FROM ${host}/multi:1\nRUN echo $BUILT_FOR > /made\n` });
  const mislabelled = await box.build([`--platform=${BOTH}`, `--output=${box.path('roots')}`]);
  assert.equal(mislabelled.code, 0, mislabelled.output);
  assert.equal(readFileSync(box.path(`roots/${OTHER.replace('/', '_')}/made`), 'utf8'), `${nameOf(OTHER)}\n`);
});

/** What is refused, and why. */
const REFUSED: readonly (readonly [readonly string[], RegExp])[] = [
  [[`--platform=${BOTH}`, '--output=type=docker,dest=/nowhere/x'], /one platform/],
  [['--platform=toaster'], /"toaster" is no operating system and no architecture/],
  [['--platform=linux/amd64/v2/x'], /not a platform/],
  [[`--platform=${OWN}`, '--platform=linux//'], /not a platform/],
];

test('platforms that cannot be meant are a wrong usage', async (t) => {
  const box = createSandbox({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\n' });
  t.after(() => box.close());
  for (const [args, message] of REFUSED) {
    const result = await box.build(args);
    assert.equal(result.code, EXIT_CODES.USAGE.exit, `${args.join(' ')}: ${result.output}`);
    assert.match(result.stderr, message);
  }
});
