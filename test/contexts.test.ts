/* Contexts of every kind, built by Docker and by us and compared. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import type { Services } from '../scripts/lib/services.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { EXIT_CODES } from '../src/core/error.ts';
import { archiveOf } from '../src/devcontainer/features/testing.ts';
import { compareImages, report } from './support/compare.ts';
import { envbuilder } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { describeImage, readDockerArchive, readOciLayout } from './support/read-image.ts';

const environment = useEnvironment();
const dir = temporaryDir('contexts');
after(() => rmSync(dir, { recursive: true, force: true }));

const COPY_ALL = 'FROM scratch\nCOPY . /\n';
/** Where the times of files are those of a download or a checkout, they differ from build to build. */
const NO_TIMES = { mtime: false };

interface Kind {
  readonly args: readonly string[];
  readonly input?: Buffer;
  /** The case that only ours takes: what Docker is given instead. */
  readonly docker?: { readonly args: readonly string[]; readonly input?: Buffer };
}

const path = (name: string): string => join(dir, name);

function write(name: string, dockerfile: string): string {
  mkdirSync(path(name), { recursive: true });
  writeFileSync(join(path(name), 'Dockerfile'), dockerfile);
  return path(name);
}

/** By name; made when the services are there. */
const KINDS: Readonly<Record<string, (services: Services) => Kind | Promise<Kind>>> = {
  'an archive from standard input, where no ignore file counts': () => ({
    args: ['-'],
    input: readFileSync(path('context.tar')),
  }),
  'a compressed archive, with a Dockerfile of another name': () => ({
    args: ['-f', 'dir/Other', '-'],
    input: readFileSync(path('context.tar.gz')),
  }),
  'a Dockerfile from standard input': () => ({
    args: ['-'],
    input: Buffer.from('FROM scratch\nCOPY <<E /x\nx\nE\n'),
  }),
  'a Dockerfile from standard input, and a directory': () => ({
    args: ['-f', '-', path('context')],
    input: Buffer.from('FROM scratch\nCOPY . /there/\n'),
  }),
  'an archive behind a URL': ({ http }) => ({ args: [`http://${http!.host}/files/context.tar.gz`] }),
  'a Dockerfile behind a URL, which is all of its context': ({ http }) => ({
    args: [`http://${http!.host}/files/Dockerfile.all`],
  }),
  'a directory of a tag of a repository, and a Dockerfile from standard input': ({ http }) => ({
    args: ['-f', '-', `http://${http!.host}/git/repo.git#v1:dir`],
    input: Buffer.from(COPY_ALL),
  }),
  'an archive in a file': () => ({
    args: [path('context.tar')],
    docker: { args: ['-'], input: readFileSync(path('context.tar')) },
  }),
  'a repository by name': ({ http }) => ({
    args: [
      `--build-context=tools=http://${http!.host}/git/repo.git#other`,
      write('git-name', 'FROM scratch\nCOPY --from=tools . /\n'),
    ],
  }),
  // Docker's own engine cannot read these two: it is given what they are.
  'a file behind a URL by name': ({ http }) => {
    const file = write('url-name', 'FROM scratch\nCOPY --from=tool context /there\n');
    mkdirSync(path('downloaded'));
    writeFileSync(path('downloaded/context'), readFileSync(join(http!.files, 'hello.txt')), { mode: 0o600 });
    return {
      args: [`--build-context=tool=http://${http!.host}/files/hello.txt`, file],
      docker: { args: [`--build-context=tool=${path('downloaded')}`, file] },
    };
  },
  'an image of a layout by name, as a base and as a source': async ({ registry }) => {
    const image = `docker://${registry!.host}/rich:1`;
    await run('skopeo', ['copy', '--quiet', '--src-tls-verify=false', image, `oci:${path('layout')}:one`]);
    const text = 'FROM base\nUSER root\nRUN id -un > /tmp/me\nCOPY --from=base /etc/passwd /copied\n';
    const file = write('layout-name', text);
    return {
      args: [`--build-context=base=oci-layout://${path('layout')}:one`, file],
      docker: { args: [`--build-context=base=docker-image://${registry!.host}/rich:1`, file] },
    };
  },
  // Bake's form, where the stage is a target of its own; Docker is given the stage where the name stands.
  'a stage by name, as a base, as a source, and in the place of a stage': () => {
    const text = (name: string): string =>
      [
        'FROM scratch AS made',
        'ENV OF=made',
        'WORKDIR /made',
        'COPY <<E /made/file',
        'made',
        'E',
        name === 'made' ? 'FROM made AS replaced' : 'FROM scratch AS replaced\nCOPY Dockerfile /never',
        `FROM ${name}`,
        `COPY --from=${name} /made/file /copied`,
        'COPY --from=replaced /made/file /of-replaced',
        '',
      ].join('\n');
    const names = ['--build-context=other=target:made', '--build-context=replaced=target:0'];
    return {
      args: [...names, write('target-name', text('other'))],
      docker: { args: [write('target-docker', text('made'))] },
    };
  },
};

describe('contexts', () => {
  before(async () => {
    const context = write('context', COPY_ALL);
    mkdirSync(join(context, 'dir'));
    writeFileSync(join(context, 'dir/Other'), 'FROM scratch\nCOPY dir /dir/\n');
    writeFileSync(join(context, 'kept'), 'kept');
    writeFileSync(join(context, 'ignored'), 'ignored');
    writeFileSync(join(context, '.dockerignore'), 'ignored\n');
    await run('tar', ['-cf', path('context.tar'), '-C', context, '.']);
    await run('tar', ['-czf', path('context.tar.gz'), '-C', context, '.']);
  });

  for (const [name, make] of Object.entries(KINDS)) {
    test(name, async (t) => {
      const { services } = environment;
      const missing = missingService(services, ['docker', 'registry', 'http']);
      if (missing !== undefined) return t.skip(missing);
      const { files } = services.http!;
      await run('cp', [path('context.tar.gz'), files]);
      writeFileSync(join(files, 'Dockerfile.all'), COPY_ALL);
      const kind = await make(services);
      const tag = `context-${Object.keys(KINDS).indexOf(name)}`;
      const layout = path(`ours-${tag}`);
      const ours = await envbuilder(['build', `--output=type=oci,dest=${layout}`, ...kind.args], {
        ...(kind.input === undefined ? {} : { input: kind.input }),
      });
      assert.equal(ours.code, 0, ours.output);
      const theirs = describeImage(
        await builtByDocker(services, tag, kind.docker ?? kind),
        services.startedAt,
      );
      const image = describeImage(await readOciLayout(layout), services.startedAt);
      const lines = compareImages(theirs, image, NO_TIMES);
      assert.equal(lines.length, 0, `\n${report(lines)}`);
    });
  }
});

async function builtByDocker({ docker }: Services, tag: string, { args, input }: Kind) {
  const { command, env } = docker!;
  const flags = ['--no-cache', '--network=host', '--provenance=false', '--progress=plain', `--tag=${tag}`];
  const built = await capture(command, ['buildx', 'build', ...flags, ...args], {
    env,
    ...(input === undefined ? {} : { input }),
  });
  assert.equal(built.code, 0, built.stderr);
  const saved = path(`saved-${tag}`);
  mkdirSync(saved);
  await run('/bin/sh', ['-c', '"$1" image save "$2" | tar -xf - -C "$3"', 'sh', command, tag, saved], {
    env,
  });
  return readDockerArchive(saved);
}

test('contexts that cannot be are errors that say what to do', async () => {
  const here = write('here', 'FROM scratch\n');
  for (const [args, code, message] of [
    [['-f', '-', '-'], 2, /both be standard input/],
    [['--build-context=x=target:y', write('no-target', 'FROM x\n')], 4, /target:y\) is no stage/],
    [['--build-context=x=target:b', write('later', 'FROM x AS a\nFROM a AS b\n')], 4, /is no earlier stage/],
    [[`--build-context=x=s3://bucket`, here], 2, /kind s3, which is not supported/],
    [
      [`--build-context=x=oci-layout://${here}:1`, write('no-layout', 'FROM x\n')],
      5,
      /no-layout.*is no OCI layout|is no OCI layout/,
    ],
    [['http://127.0.0.1:1/context.tar'], 5, /127\.0\.0\.1:1/],
    [[path('nothing')], 5, /does not exist/],
  ] as const) {
    const { code: exit, output } = await envbuilder(['build', ...args], { input: Buffer.from('') });
    assert.equal(exit, code, output);
    assert.match(output, message);
  }
});

test('what is damaged says where it is asked for and what to do', async () => {
  const noise = { noise: randomBytes(200_000).toString('latin1') };
  const whole = write('whole', 'FROM scratch\nCOPY noise /\n');
  writeFileSync(join(whole, 'noise'), noise.noise, 'latin1');
  const layout = path('damaged-layout');
  const built = await envbuilder(['build', whole, `--output=type=oci,dest=${layout}`]);
  assert.equal(built.code, 0, built.output);
  for (const name of readdirSync(join(layout, 'blobs/sha256'))) {
    const blob = join(layout, 'blobs/sha256', name);
    if (statSync(blob).size > 100_000) writeFileSync(blob, Buffer.alloc(statSync(blob).size, 'x'));
  }
  const tar = archiveOf(noise);
  const archives: Readonly<Record<string, Buffer>> = {
    'cut.tar': tar.subarray(0, 100_000),
    'cut.tar.gz': gzipSync(tar).subarray(0, 100_000),
    'outside.tar': archiveOf({ '../../file': 'x' }),
    'below-a-file.tar': archiveOf({ file: 'x', 'file/below': 'x' }),
  };
  const added = write('damaged', `FROM scratch\nARG NAME\nADD $NAME /\n`);
  for (const [name, bytes] of Object.entries(archives)) writeFileSync(join(added, name), bytes);
  const rows: readonly (readonly [args: readonly string[], place: RegExp, hint: RegExp])[] = [
    ...Object.keys(archives).map(
      (name) => [[added, `--build-arg=NAME=${name}`], /Dockerfile:3/, /tar -tvf .*--unpack=false/] as const,
    ),
    [[join(added, 'cut.tar.gz')], /cut\.tar\.gz/, /tar -tvf .*name a directory/],
    [
      [
        write('copies', 'FROM scratch\nCOPY --from=damaged / /\n'),
        `--build-context=damaged=oci-layout://${layout}`,
      ],
      /Dockerfile:2/,
      /anew|again/,
    ],
  ];
  for (const [args, place, hint] of rows) {
    const { code, output } = await envbuilder(['build', ...args]);
    assert.equal(code, EXIT_CODES.CORRUPT.exit, `${args.join(' ')}\n${output}`);
    assert.match(output, place);
    assert.match(output, new RegExp(`^hint: .*(?:${hint.source})`, 'm'), output);
  }
});
