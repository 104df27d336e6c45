import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { run as runProgram } from '../scripts/lib/shell.ts';
import type { ImageConfig } from '../src/oci/types.ts';
import { describeTree } from '../src/rootfs/describe-tree.ts';
import { createSyscalls } from '../src/sys/syscalls.ts';
import { missingService } from './support/environment.ts';
import { useTrials } from './support/inplace-trial.ts';
import { readOciLayout } from './support/read-image.ts';
import { builtSteps, cachedImage, imageDigest } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';
import { readTar } from './support/tar-reader.ts';

const trials = useTrials();

/** Every kind of step, file and change; and RUNs that write down the times that they see. */
const DOCKERFILE = `FROM @REGISTRY@/busybox:1 AS tools
RUN mkdir -p /opt/tool && echo run >/opt/tool/run && ln /opt/tool/run /opt/tool/again && ln -s run /opt/tool/link && mkfifo /opt/tool/pipe
COPY lib/ /opt/tool/lib/
FROM @REGISTRY@/busybox:1
ENV SEEN=/seen
WORKDIR /work/dir
COPY . .
COPY <<EOF /etc/inline
text
EOF
RUN echo "$SOURCE_DATE_EPOCH" >$SEEN
RUN touch /tmp/x /etc/new && rm /tmp/x && mv /bin/vi /bin/edit && rm /etc/new && rm -r lib/sub && mkdir lib/sub && echo y >lib/sub/y
COPY --from=tools /opt/tool/ /opt/
RUN --mount=type=bind,target=/mnt stat -c '%n %Y' / /tmp /etc /bin /bin/edit /etc/inline /work /work/dir/* /work/dir/lib/* /opt/* /mnt/a /mnt/lib /mnt/lib/* >>$SEEN
RUN --mount=type=secret,id=clock mkdir /opt/sub && echo 1 >/opt/sub/x && touch -d "@$(cat /run/secrets/clock)" /opt/sub/x /opt/sub /opt z
RUN echo same >a && chmod 600 a && chmod 755 /opt && echo 1 >$SEEN.2
RUN stat -c '%n %Y' /seen* a /opt /work/dir . >>$SEEN`;

const FILES: Readonly<Record<string, string>> = { a: 'same\n', z: 'z', 'lib/one': '1', 'lib/sub/two': '2' };

/** A sandbox with the same files as any other, which were made in another order, by somebody else and at another time. */
function sandbox(t: TestContext, { reverse = false, seconds = 1_700_000_000, uid = 0 } = {}): Sandbox {
  const box = createSandbox();
  t.after(() => box.close());
  const names = Object.keys(FILES);
  for (const name of reverse ? names.toReversed() : names) box.write({ [name]: FILES[name]! });
  symlinkSync('a', join(box.context, 'lib/link'));
  mkdirSync(join(box.context, 'empty'));
  box.write({ Dockerfile: dockerfile(DOCKERFILE) });
  for (const name of ['', ...readdirSync(box.context, { recursive: true }).map(String)]) {
    const path = join(box.context, name);
    if (!name.endsWith('link')) chownSync(path, uid, uid);
    lutimesSync(path, seconds, seconds);
  }
  return box;
}

function dockerfile(text: string): string {
  return text.replaceAll('@REGISTRY@', trials.environment.services.registry!.host);
}

function skipped(t: TestContext): boolean {
  const missing = missingService(trials.environment.services, ['registry']);
  if (missing !== undefined) t.skip(missing);
  return missing !== undefined;
}

/** A machine to build on: its name, what its clock is ahead, in days, and how many of its cores are used. */
interface Machine {
  readonly name: string;
  readonly days: number;
  readonly cores?: string;
}

/**
 * A program with arguments that runs another one as if on a machine. What the clock of the kernel writes into files is not
 * changed by it: that is what a RUN does by `touch`.
 */
async function on({ name, days, cores }: Machine): Promise<readonly string[]> {
  await ensurePackages(['libfaketime']);
  const library = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;
  return [
    ...['unshare', '--uts', 'sh', '-c', `hostname ${name} && exec "$@"`, 'sh'],
    ...(cores === undefined ? [] : ['taskset', '-c', cores]),
    ...[
      'env',
      `LD_PRELOAD=${library}`,
      `FAKETIME=${days < 0 ? '' : '+'}${days}d`,
      'FAKETIME_DONT_FAKE_MONOTONIC=1',
    ],
  ];
}

/** The digests of all records of a cache directory, by tag. */
function recordsIn(directory: string): Readonly<Record<string, string>> {
  const tags = join(directory, 'docker/registry/v2/repositories/local/cache/_manifests/tags');
  const found: Record<string, string> = {};
  for (const tag of readdirSync(tags)) {
    if (!/^[0-9a-f]{64}$/.test(tag)) continue;
    found[tag] = readFileSync(join(tags, tag, 'current/link'), 'utf8');
  }
  return found;
}

/** A file with the time to which RUNs set what they make, another one each time. */
function clock(file: string, id = 'clock'): readonly string[] {
  writeFileSync(file, String(Math.floor(Math.random() * 2e9)));
  return [`--secret=id=${id},src=${file}`];
}

/** What a build in a sandbox wrote down of its image. */
async function outcome(box: Sandbox, args: readonly string[], under: readonly string[] = []) {
  const common = ['--layer-cache-dir', box.cache, `--output=type=oci,dest=${box.path('layout')}`];
  const metadata = box.path('metadata.json');
  const all = [...common, ...clock(box.path('clock')), `--metadata-file=${metadata}`, ...args];
  const built = await box.build(all, { under });
  assert.equal(built.code, 0, built.output);
  return { digest: imageDigest(metadata), records: recordsIn(box.cache) };
}

test('two reproducible builds give the same layers, records and image, whoever makes them where and when', async (t) => {
  if (skipped(t)) return;
  const first = sandbox(t);
  const one = await outcome(first, ['--reproducible']);
  const second = sandbox(t, { reverse: true, seconds: 1_600_000_000, uid: 1234 });
  const ahead = await on({ name: 'ahead', days: 2000, cores: '0' });
  const two = await outcome(second, ['--reproducible'], ahead);
  assert.deepEqual(two, one);
  const third = sandbox(t, { reverse: true, seconds: 3_000_000_000 });
  const behind = await on({ name: 'behind', days: -7000 });
  assert.deepEqual(await outcome(third, ['--reproducible'], behind), one);
  assert.ok(Object.keys(one.records).length >= 20);

  const { layers, ...image } = await readOciLayout(first.path('layout'));
  const config = JSON.parse(image.config.toString()) as ImageConfig;
  assert.equal(config.created, '1970-01-01T00:00:00Z');
  assert.ok(
    config
      .history!.filter(({ comment }) => comment === 'envbuilder')
      .every(({ created }) => created === config.created),
  );
  const own = layers.slice(-10).flatMap((layer) => [...readTar(layer)]);
  assert.deepEqual(
    own.filter(({ mtime }) => mtime !== 0).map(({ name }) => name),
    [],
  );
  const seen = own.findLast(({ name }) => name === 'seen')!.data.toString();
  const lines = seen.trim().split('\n');
  assert.equal(lines[0], '0');
  assert.ok(lines.length > 25, seen);
  const times = new Map(lines.slice(1).map((line) => line.split(' ') as [string, string]));
  for (const path of [
    '/',
    '/bin',
    '/bin/edit',
    '/work/dir/a',
    '/opt/link',
    '/opt/again',
    '/mnt/lib/one',
    '/seen',
    '.',
  ])
    assert.equal(times.get(path), '0', `${path}\n${seen}`);

  // Builds that keep times differ, or this test would show nothing; so do their records.
  const kept = await outcome(sandbox(t), []);
  const again = await outcome(sandbox(t, { seconds: 1_600_000_000 }), []);
  assert.notEqual(again.digest, kept.digest);
  assert.notDeepEqual(Object.keys(kept.records), Object.keys(one.records));
});

test('records of reproducible builds grow too old, though they hold no time', async (t) => {
  if (skipped(t)) return;
  const box = createSandbox({
    Dockerfile: dockerfile('FROM @REGISTRY@/busybox:1\nRUN echo 1 >/a\nRUN echo 2 >/b\n'),
  });
  t.after(() => box.close());
  const args = ['--reproducible', '--progress=json', `--layer-cache-dir=${box.cache}`];
  const build = async (days: number, more: readonly string[] = []) => {
    const under = await on({ name: 'later', days });
    const built = await box.build([...args, ...more], { under });
    assert.equal(built.code, 0, built.output);
    return { steps: builtSteps(built).length, records: recordsIn(box.cache) };
  };
  const { records } = await build(0);
  // Zero is the default, seven days.
  for (const [days, more, steps] of [
    [6, [], 0],
    [6, ['--cache-ttl-days=0'], 0],
    [6, ['--cache-ttl-days=5'], 2],
    [12, [], 0],
    [14, ['--cache-ttl-days=0'], 2],
    [14, [], 0],
    [400, ['--cache-ttl-days=1000'], 0],
    [400, [], 2],
  ] as const)
    assert.deepEqual(await build(days, more), { steps, records }, `${days} days, ${more}`);
  // A build that keeps times takes them as long as a reproducible one does.
  const kept = async (days: number) => {
    const under = await on({ name: 'later', days });
    return builtSteps(await box.build(args.slice(1), { under })).length;
  };
  assert.equal(await kept(406), 0);
  assert.equal(await kept(408), 2);
});

test('in place, reproducible builds give what they give with overlay mounts', async (t) => {
  if (skipped(t)) return;
  const box = sandbox(t);
  const { digest } = await outcome(box, ['--reproducible']);
  await trials.trial(async ({ build, dir }) => {
    const there = sandbox(t, { reverse: true, seconds: 1_650_000_000 });
    const context = join(dir, 'context');
    cpSync(there.context, context, { recursive: true, verbatimSymlinks: true });
    const args = ['--reproducible', ...clock(join(dir, 'clock'))];
    const { error, result, output } = await build(DOCKERFILE, { args });
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.equal(result!.imageDigest, digest);
  });
});

test('SOURCE_DATE_EPOCH is the time of everything, from the environment too; what is no time is refused', async (t) => {
  if (skipped(t)) return;
  const text = `FROM @REGISTRY@/busybox:1\nRUN echo "$SOURCE_DATE_EPOCH" >/seen\nRUN stat -c %Y /seen >/time\n`;
  const box = createSandbox({ Dockerfile: dockerfile(text) });
  t.after(() => box.close());
  const rootfs = (name: string) => `--output=type=rootfs,dest=${box.path(name)}`;
  const given = await box.build([
    '--reproducible',
    '--build-arg=SOURCE_DATE_EPOCH=1234567890',
    rootfs('a'),
    `--output=type=oci,dest=${box.path('layout')}`,
  ]);
  assert.equal(given.code, 0, given.output);
  assert.doesNotMatch(given.output, /UnusedBuildArg|that no ARG declares/);
  const { config } = await readOciLayout(box.path('layout'));
  assert.equal((JSON.parse(config.toString()) as ImageConfig).created, '2009-02-13T23:31:30Z');
  const env = { SOURCE_DATE_EPOCH: '1234567890' };
  const inherited = await box.build(['--reproducible', rootfs('b')], { env });
  assert.equal(inherited.code, 0, inherited.output);
  assert.equal(inherited.stdout, given.stdout);
  for (const name of ['a', 'b']) {
    const files = describeTree(box.path(name), createSyscalls()).filter(({ path }) =>
      /^(seen|time)$/.test(path),
    );
    assert.deepEqual(
      files.map(({ mtime }) => mtime),
      [1_234_567_890_000_000_000n, 1_234_567_890_000_000_000n],
    );
    for (const { path } of files)
      assert.equal(readFileSync(box.path(`${name}/${path}`), 'utf8'), '1234567890\n');
  }
  const refused = await box.build(['--reproducible', '--build-arg=SOURCE_DATE_EPOCH=yesterday']);
  assert.equal(refused.code, 2, refused.output);
  assert.match(refused.output, /SOURCE_DATE_EPOCH has the invalid value "yesterday"/);
});

test('a build that keeps times takes reproducible layers, and never mixes them with its own', async (t) => {
  if (skipped(t)) return;
  const host = trials.environment.services.registry!.host;
  const text = (last: string): string =>
    dockerfile(
      `FROM @REGISTRY@/busybox:1 AS one\nRUN echo 1 >/one\nFROM @REGISTRY@/busybox:1\nRUN echo a >/a\nCOPY --from=one /one /one\nRUN ${last}\n`,
    );
  const box = createSandbox({ Dockerfile: text('echo b >/b') });
  t.after(() => box.close());
  const cache = (name: string): string => `--cache-repo=${host}/reproducible/${name}`;
  const json = '--progress=json';
  const unique = (): string => randomBytes(5).toString('hex');
  const build = async (args: readonly string[]) => {
    const rootfs = box.path(unique());
    const built = await box.build([json, ...args, `--output=type=rootfs,dest=${rootfs}`]);
    assert.equal(built.code, 0, built.output);
    const files = describeTree(rootfs).filter(({ path }) => /^(a|b|c|one)$/.test(path));
    return {
      digest: built.stdout.trim().split('@').at(-1),
      steps: builtSteps(built),
      times: files.map(({ mtime }) => mtime > 0n),
    };
  };

  // Complete: the image of the reproducible build, found by the probe under either name.
  const shared = unique();
  const made = await build(['--reproducible', '--push', cache(shared)]);
  assert.deepEqual(made, {
    digest: made.digest,
    steps: ['0.0', '1.0', '1.1', '1.2'],
    times: [false, false, false],
  });
  assert.deepEqual(await build([cache(shared)]), { ...made, steps: [] });
  for (const args of [[], ['--reproducible']]) {
    const probe = await box.build([cache(shared), ...args], { command: 'probe' });
    assert.equal(cachedImage(probe)?.split('@')[1], made.digest);
  }

  // In part: what is missing is made as what it lies on was.
  box.write({ Dockerfile: text('echo c >/c') });
  assert.deepEqual((await build([cache(shared)])).times, [false, false, false]);

  // The other way round nothing is shared, and then the probe finds both and takes the reproducible one.
  const other = unique();
  const kept = await build(['--push', cache(other)]);
  assert.deepEqual([kept.steps.length, kept.times], [4, [true, true, true]]);
  const keptProbe = await box.build([cache(other)], { command: 'probe' });
  assert.equal(cachedImage(keptProbe)?.split('@')[1], kept.digest);
  const fixedProbe = await box.build([cache(other), '--reproducible'], { command: 'probe' });
  assert.equal(fixedProbe.code, 10, fixedProbe.output);
  const fixed = await build(['--reproducible', cache(other)]);
  assert.deepEqual([fixed.steps.length, fixed.times], [4, [false, false, false]]);
  // Its image was not pushed; that of the other build was.
  const fallback = await box.build([cache(other)], { command: 'probe' });
  assert.equal(cachedImage(fallback), cachedImage(keptProbe), fallback.output);
  await build(['--reproducible', '--push', cache(other)]);
  const preferred = await box.build([cache(other)], { command: 'probe' });
  assert.equal(cachedImage(preferred)?.split('@')[1], fixed.digest, preferred.output);
});

test('behind a RUN that made the same files again, reproducible steps are found by their content', async (t) => {
  if (skipped(t)) return;
  const text = (comment: string): string =>
    dockerfile(
      `FROM @REGISTRY@/busybox:1\nRUN echo x >/x && : ${comment}\nRUN cat /proc/sys/kernel/random/uuid >/id\nCOPY file /file\nRUN cat /x /id /file >/all\n`,
    );
  for (const [args, second] of [
    [['--reproducible'], ['0.0']],
    [[], ['0.0', '0.1', '0.2', '0.3']],
  ] as const) {
    const box = createSandbox({ Dockerfile: text('first'), file: 'f' });
    t.after(() => box.close());
    const build = async (wanted: readonly string[], more: readonly string[] = []) => {
      const output = `--output=type=rootfs,dest=${box.path(randomBytes(5).toString('hex'))}`;
      const built = await box.build([
        '--progress=json',
        `--layer-cache-dir=${box.cache}`,
        output,
        ...args,
        ...more,
      ]);
      assert.equal(built.code, 0, built.output);
      assert.deepEqual(builtSteps(built), wanted);
      return built.stdout;
    };
    const first = await build(['0.0', '0.1', '0.2', '0.3']);
    box.write({ Dockerfile: text('second') });
    const again = await build(second);
    // Only the history of the image is another one; what was found is found by its key from now on.
    assert.notEqual(again, first);
    assert.equal(await build([]), again);
  }
});

/** Each instruction and each kind of source; what it adds to has times of its own. */
const EVERYTHING = `FROM @REGISTRY@/busybox:1 AS tools
RUN mkdir -p /opt/tool && echo 1 >/opt/tool/a && ln -s a /opt/tool/link
FROM @REGISTRY@/busybox:1
ARG V=1
ENV E=1
LABEL l=1
MAINTAINER me
EXPOSE 80
VOLUME /vol
STOPSIGNAL SIGTERM
HEALTHCHECK CMD true
SHELL ["/bin/sh", "-ec"]
WORKDIR /work/deep
USER 1000:1000
WORKDIR /work/user
USER 0
COPY --chown=7:8 --chmod=600 file /copied/
COPY --link file /linked/
COPY --parents dir/./sub /parents/
COPY --exclude=sub dir /excluded/
COPY <<EOF /inline/
text
EOF
ADD local.tar /local/
ADD http://@HTTP@/files/hello.txt /added/
ADD --unpack=true http://@HTTP@/files/archive.tar.gz /unpacked/
ADD http://@HTTP@/git/refs.git#v1 /git/
ADD --keep-git-dir=true http://@HTTP@/git/refs.git#v1 /git-dir/
COPY --from=tools /opt /from/
COPY --from=@REGISTRY@/busybox:1 /bin/busybox /image/
RUN <<EOF
mkdir -p /run/made/deep
stat -c '%Y %n' /etc/hosts /etc/hostname /etc/resolv.conf >/seen-run
EOF
RUN <<EOF
#!/bin/sh
stat -c '%Y %n' "$0" "$(dirname "$0")" >/seen-script
EOF
RUN --mount=type=cache,target=/cache/deep/er --mount=type=tmpfs,target=/tmpfs/deep \\
    --mount=type=secret,id=s,target=/secret/deep/er --mount=type=bind,source=dir,target=/bind/deep \\
    --mount=type=bind,from=tools,source=/opt,target=/stage/deep \\
    find /bind/deep/. /stage/deep/. /secret/deep/er -exec stat -c '%Y %n' {} + >/seen-mounts
RUN find / -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o -exec stat -c '%Y %n' {} + >/seen-all
ONBUILD RUN true
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "true"]
`;

const FEATURE = {
  'devcontainer-feature.json': JSON.stringify({
    id: 'f',
    version: '1.0.0',
    containerEnv: { OF_FEATURE: '1' },
    entrypoint: '/usr/local/share/entry.sh',
  }),
  'data/x': 'x',
  'install.sh': `#!/bin/sh
find /dev/dev-container-feature/. data install.sh -exec stat -c '%Y %n' {} + >/seen-feature
mkdir -p /usr/local/share && cp -p data/x /usr/local/share/entry.sh
`,
};

test('whatever a build adds has one time: each instruction, source, mount and feature, its layers, config and history', async (t) => {
  const { services } = trials.environment;
  const missing = missingService(services, ['registry', 'http']);
  if (missing !== undefined) return t.skip(missing);
  const build = async (machine: Machine) => {
    const box = createSandbox({
      Dockerfile: dockerfile(EVERYTHING).replaceAll('@HTTP@', services.http!.host),
      file: 'f',
      'dir/a': 'a',
      'dir/sub/b': 'b',
      '.devcontainer/devcontainer.json': JSON.stringify({
        build: { dockerfile: '../Dockerfile', context: '..' },
        features: { './f': {} },
        containerEnv: { OF_FILE: '1' },
      }),
      ...Object.fromEntries(Object.entries(FEATURE).map(([name, text]) => [`.devcontainer/f/${name}`, text])),
    });
    t.after(() => box.close());
    symlinkSync('a', join(box.context, 'dir/link'));
    await runProgram('tar', [
      '-C',
      box.context,
      '-cf',
      join(box.context, 'local.tar'),
      '--mtime=@1500000000',
      'dir',
      'file',
    ]);
    const args = [
      ...['--devcontainer', '--reproducible', ...clock(box.path('clock'), 's')],
      `--output=type=oci,dest=${box.path('layout')}`,
    ];
    const built = await box.build(args, { under: await on(machine) });
    assert.equal(built.code, 0, built.output);
    return box;
  };
  const box = await build({ name: 'one', days: 5000 });

  const { layers, ...image } = await readOciLayout(box.path('layout'));
  const config = JSON.parse(image.config.toString()) as ImageConfig;
  const made = config.history!.filter(({ comment }) => comment === 'envbuilder');
  assert.deepEqual(
    new Set([config.created, ...made.map(({ created }) => created)]),
    new Set(['1970-01-01T00:00:00Z']),
  );
  const count = made.filter(({ empty_layer }) => !empty_layer).length;
  const all = layers.map((layer) => [...readTar(layer)]);
  const own = all.slice(-count).flat();
  assert.ok(count > 20, `${count}`);
  assert.deepEqual(
    own.filter(({ mtime }) => mtime !== 0),
    [],
  );

  // What RUNs saw: no times but those of the base and this one.
  const base = new Map(
    all
      .slice(0, -count)
      .flat()
      .map(({ name, mtime }) => [`/${name.replace(/\/$/, '')}`, mtime]),
  );
  for (const [name, least] of [
    ['run', 3],
    ['script', 2],
    ['mounts', 8],
    ['all', 100],
    ['feature', 6],
  ] as const) {
    const text = own.findLast((entry) => entry.name === `seen-${name}`)!.data.toString();
    const lines = text.trim().split('\n');
    assert.ok(lines.length >= least, text);
    const late = lines.filter((line) => {
      const [time = '', path = ''] = line.split(/ (.*)/s);
      // The RUN has just made the file that it writes to, and with it changed the root.
      return time !== '0' && path !== '/' && path !== `/seen-${name}` && Number(time) !== base.get(path);
    });
    assert.deepEqual(late, [], name);
  }
});
