import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { capture } from '../scripts/lib/shell.ts';
import { listCases, prepareCase } from './support/case.ts';
import { envbuilder } from './support/envbuilder.ts';
import { missingService } from './support/environment.ts';
import { useTrials } from './support/inplace-trial.ts';
import { listLayers } from './support/layer-list.ts';
import { caseArgs } from './support/oracle.ts';
import { type ContainerOutcome, createOwnContainer } from './support/own-container.ts';
import { readOciLayout } from './support/read-image.ts';

/** Parity cases whose layers have to be the same in place; between them they use every instruction and kind of mount. */
const SAME = [
  'add-archive-over',
  'copy-hard-links',
  'copy-onto-existing-dir',
  'debian-user',
  'from-scratch-run',
  'heredoc-run-shebang',
  'mount-bind-from',
  'mount-cache',
  'mount-several',
  'run-delete-recreate',
  'run-var-run',
  'run-xattrs',
  'stage-built-upon-twice',
  'stage-chain-of-ten',
  'stage-whole-root',
  'workdir-owner',
];

const trials = useTrials();
const { trial } = trials;

for (const one of listCases().filter(({ name }) => SAME.includes(name))) {
  test(`the same layers in place as with overlay mounts: ${one.name}`, async (t) => {
    const { services } = trials.environment;
    const missing = missingService(services, ['registry', ...(one.options.needs ?? [])]);
    if (missing !== undefined) return t.skip(missing);
    const dir = join(services.dir, `inplace-${one.name}`);
    const prepared = await prepareCase(one, services, dir);
    const container = createOwnContainer(trials.image, dir);
    try {
      const startedAt = Math.floor(Date.now() / 1000) - 1;
      const [overlay, here] = ['overlay', 'here'].map((name) => join(prepared.side, name));
      const args = caseArgs(one, prepared, 'envbuilder');
      const env = { ...one.options.secretEnv };
      const host = await envbuilder(['build', ...args, `--output=type=oci,dest=${overlay}`], { env });
      assert.equal(host.code, 0, host.output);
      const { error, output } = await container.build({
        args: [...args, `--output=type=oci,dest=${here}`],
        env,
      });
      assert.equal(error, undefined, `${error?.stack}\n${output}`);
      assert.deepEqual(
        listLayers(await readOciLayout(here!), startedAt),
        listLayers(await readOciLayout(overlay!), startedAt),
      );
    } finally {
      container.close();
      await prepared.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
}

test('a stage upon one that another has only added to is not unpacked again', async () => {
  const below = ['FROM @REGISTRY@/busybox:1 AS tools', 'RUN mkdir /tools && echo t >/tools/t'];
  const counts: (number | undefined)[] = [];
  for (const stages of [
    ['RUN mkdir -p /src/out && echo made >/src/out/f', 'RUN cp -r /src/out /copy'],
    [
      'FROM tools AS build',
      'RUN mkdir -p /src/out && echo made >/src/out/f && touch /tools/t2 && rm /tools/t2',
      'FROM tools',
      'RUN test ! -e /src && test ! -e /tools/t2',
      'COPY --from=build /src/out /copy',
    ],
  ])
    await trial(async ({ container, build }) => {
      const { error, output, extractions } = await build([...below, ...stages].join('\n'));
      assert.equal(error, undefined, `${error?.stack}\n${output}`);
      assert.equal(readFileSync(join(container.upper, 'copy/f'), 'utf8'), 'made\n');
      counts.push(extractions);
    });
  assert.ok(counts[0]! > 0 && counts[1] === counts[0], `unpacked ${counts.join(' and ')} times`);
});

test('with fixed times the layers are the same byte for byte', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS tools
    RUN mkdir /tool && echo run >/tool/run && chmod 755 /tool/run && find /tool | xargs touch -h -d @1600000000
    FROM @REGISTRY@/busybox:1
    RUN mkdir -p /etc /home/dev && echo dev:x:1000:1000::/home/dev:/bin/sh >>/etc/passwd && echo dev:x:1000: >>/etc/group && \\
        chown dev:dev /home/dev && for d in /proc /dev /sys; do touch -d @1600000000 $d 2>/dev/null || :; done && \\
        touch -d @1600000000 /etc/passwd /etc/group /home/dev /home /etc
    COPY --from=tools --chown=dev /tool/ /opt/
    RUN rm /bin/vi && ln -s /opt/run /bin/tool && touch -h -d @1600000000 /bin /bin/tool`;
  await trial(async ({ build, dir }) => {
    const { error, result, output } = await build(dockerfile);
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    const layout = join(dir, 'host');
    const args = ['build', `--output=type=oci,dest=${layout}`, join(dir, 'context')];
    const host = await envbuilder(args);
    assert.equal(host.code, 0, host.output);
    assert.deepEqual(
      result!.layers.map(({ digest }) => digest),
      layerDigests(layout),
    );
  });
});

function layerDigests(layout: string): string[] {
  const read = (path: string) => JSON.parse(readFileSync(join(layout, path), 'utf8'));
  const [{ digest }] = read('index.json').manifests as [{ digest: string }];
  const { layers } = read(join('blobs', ...digest.split(':'))) as { layers: { digest: string }[] };
  return layers.map((layer) => layer.digest);
}

test('afterwards the root is the image, and what is not ours is as it was', async () => {
  await trial(async ({ container, build, names: namesOf, dir }) => {
    mkdirSync(join(dir, 'volume'));
    writeFileSync(join(dir, 'volume/precious'), 'precious');
    container.prepare(`
      for at in lib/modules usr/lib/gpu var/run/secrets data; do
        mkdir -p "$root/$at" && mount --bind ${dir}/volume "$root/$at"
      done
      mount -o remount,bind,ro "$root/lib/modules"
      mkdir -p "$root/usr/lib/x86_64-linux-gnu" "$root/workspaces/app" "$root/old/stuff"
      touch "$root/usr/lib/x86_64-linux-gnu/libgpu.so.1"
      mount --bind ${dir}/volume/precious "$root/usr/lib/x86_64-linux-gnu/libgpu.so.1"
      echo mine >"$root/workspaces/app/code"; echo old >"$root/old/stuff/file"; ln -s /old "$root/gone"`);
    const dockerfile = `
      FROM @REGISTRY@/debian:bookworm AS first
      RUN test ! -e /old && test ! -L /gone && echo first >/first && cat /data/precious /workspaces/app/code
      FROM @REGISTRY@/debian:bookworm
      COPY --from=first /first /workspaces/app/from-image
      COPY --from=first /first /first
      RUN ls -l /lib/x86_64-linux-gnu/libc.so.6 && /lib64/ld-linux-x86-64.so.2 --version >/dev/null && \\
          echo x >/lib/added && echo y >/var/run/pid && ! touch /lib/modules/x && \\
          dpkg-query -W libc6 && useradd --create-home dev
      WORKDIR /workspaces/app/sub/dir
      RUN pwd && cd .. && ls /workspaces/app
      WORKDIR /
      USER dev
      RUN id -un && test "$HOME" = /home/dev && test ! -w /etc/passwd`;
    const { error, output } = await build(dockerfile, { keep: ['/workspaces'] });
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.match(output, /preciousmine\n/);
    assert.match(output, /\/workspaces\/app\/sub\/dir\ncode\nfrom-image\nsub\ndev\n/);
    assert.deepEqual(readdirSync(join(container.upper, 'workspaces/app')), ['code']);
    const names = await namesOf(4);
    assert.deepEqual(names[0], ['workspaces/', 'workspaces/app/', 'workspaces/app/from-image']);
    assert.ok(names[2]!.includes('usr/lib/added') && names[2]!.includes('run/pid'), names[2]!.join(' '));
    const foreign = names.flat().filter((name) => /modules|gpu|secrets|^data|envbuilder|^old/.test(name));
    assert.deepEqual(foreign, []);
    assert.deepEqual(readdirSync(join(dir, 'volume')), ['precious']);
    assert.equal(readFileSync(join(dir, 'volume/precious'), 'utf8'), 'precious');
    const root = container.upper;
    assert.equal(readFileSync(join(root, 'workspaces/app/code'), 'utf8'), 'mine\n');
    assert.equal(readFileSync(join(root, 'first'), 'utf8'), 'first\n');
    assert.deepEqual(
      readdirSync(root).filter((name) => ['old', 'gone'].includes(name)),
      [],
    );
    assert.deepEqual(readdirSync(join(root, '.envbuilder')).sort(), ['state', 'work']);
    assert.deepEqual(readdirSync(join(root, '.envbuilder/state')), []);
    assert.deepEqual(readdirSync(join(root, '.envbuilder/work')), []);
  });
});

test('a RUN sees its mounts and none of our secrets, and nothing of either is left', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS source
    RUN mkdir /data && echo from-stage >/data/f && mkdir /deep && echo d >/deep/f
    FROM @REGISTRY@/busybox:1
    RUN mkdir /cache && echo covered >/cache/old && touch -d @1600000000 /cache
    RUN --mount=type=cache,target=/cache --mount=type=secret,id=s,target=/run/secrets/s,mode=0444 \\
        --mount=type=secret,id=s,env=FROM_ENV --mount=type=bind,from=source,source=/data,target=/made/here \\
        --mount=type=bind,target=/ctx --mount=type=tmpfs,target=/run/tmp --mount=type=bind,from=source,rw,target=/all \\
        set -eu; test ! -e /cache/old; echo kept >/cache/new; cat /run/secrets/s /made/here/f; \\
        echo "env $FROM_ENV"; ls /ctx; touch /run/tmp/x; echo changed >/all/deep/f; echo changed >/made/here/f; \\
        mount | grep -c overlay; cat /proc/1/environ /proc/1/cmdline 2>&1 | tr '\\0' ' '; \\
        cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a PROCESS_1 || echo none; (sleep 1000 &) ; touch /done
    USER 1000
    RUN --mount=type=secret,id=s,mode=0444 --mount=type=cache,target=/cache,uid=1000,id=other \\
        cat /run/secrets/s && touch /cache/mine
    USER 0
    COPY --from=source /deep /data /copied/
    RUN --mount=type=cache,target=/cache cat /cache/new; cat /cache/old 2>/dev/null || echo hidden
    RUN cat /cache/old; ls -d /made /ctx /all 2>/dev/null || echo gone; cat /copied/f`;
  await trial(async ({ build, names: namesOf, dir, container }) => {
    writeFileSync(join(dir, 'secret'), 'open-sesame\n');
    const { error, output } = await build(dockerfile, { args: [`--secret=id=s,src=${dir}/secret`] });
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.match(output, /open-sesame\nfrom-stage\nenv open-sesame\n*Dockerfile\n/);
    assert.match(output, /environ'?: Permission denied(?:.|\n)*none\n/);
    assert.doesNotMatch(output, /swordfish/);
    assert.match(output, /kept\nhidden\ncovered\ngone\nfrom-stage\n/);
    const names = await namesOf(3);
    assert.deepEqual(names, [['cache/', 'cache/old'], ['done'], ['copied/', 'copied/f']]);
    const found = await capture('grep', ['-rlaE', 'open-sesame|swordfish', container.upper]);
    assert.equal(found.stdout.toString(), '');
  });
});

test('links in a context, a stage or a RUN do not lead a mount to a volume of the container', async () => {
  await trial(async ({ container, build, dir }) => {
    mkdirSync(join(dir, 'volume/empty'), { recursive: true });
    const canary = `canary-${process.hrtime.bigint()}`;
    writeFileSync(join(dir, 'volume/secret'), canary);
    container.prepare(`mkdir -p "$root/data" && mount --bind ${dir}/volume "$root/data"`);
    for (const [name, target] of Object.entries({ l: '/data', up: '../../../../../../../../data' }))
      symlinkSync(target, join(dir, 'context', name));
    writeFileSync(join(dir, 'context/f'), 'f');
    const untouched = (output: string): void => {
      assert.deepEqual(readdirSync(join(dir, 'volume')).sort(), ['empty', 'secret']);
      assert.equal(readFileSync(join(dir, 'volume/secret'), 'utf8'), canary);
      assert.ok(!output.includes(canary), output);
    };
    const from = `FROM @REGISTRY@/busybox:1 AS s
      RUN ln -s /data /l && ln -s ../../../../../../../data /up
      FROM @REGISTRY@/busybox:1
      RUN`;
    for (const mount of [
      'source=l,target=/m,rw',
      'source=up,target=/m',
      'from=s,source=/l,target=/m,rw',
      'from=s,source=/up/secret,target=/m',
    ]) {
      const { error, output } = await build(`${from} --mount=type=bind,${mount} cat /m /m/secret`);
      assert.match(
        String((error as { code?: string } | undefined)?.code),
        /^(CONTEXT|BUILD_FAILED)$/,
        output,
      );
      untouched(output);
    }
    const { error, output } = await build(`${from} --mount=type=bind,target=/m,rw \\
      --mount=type=bind,source=f,target=/f/g cat /f/g && echo x >/m/f`);
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.equal(readFileSync(join(dir, 'context/f'), 'utf8'), 'f');
    untouched(output);
  });
});

test('a build that is killed is done again from the start, with the same result', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    RUN --mount=type=cache,target=/var/cache/x echo one >>/var/cache/x/log && touch /first
    RUN --mount=type=cache,target=/var/cache/x --mount=type=bind,target=/data/stub \\
        rm /bin/vi && if mkdir /data/once 2>/dev/null; then touch /data/running; sleep 1000; fi; \\
        cp /var/cache/x/log /log`;
  await trial(async ({ build, container, dir, names: namesOf }) => {
    mkdirSync(join(dir, 'data'));
    container.prepare(`mkdir -p "$root/data" && mount --bind ${dir}/data "$root/data"`);
    const killed = await build(dockerfile, {}, { killWhenThere: join(dir, 'data/running') });
    assert.equal(killed.error?.message, 'no outcome');
    assert.equal(existsSync(join(dir, 'data/stub')), true);
    rmSync(join(dir, 'layout1'), { recursive: true, force: true });
    const { error, output } = await build(dockerfile);
    assert.equal(error, undefined, `${error?.stack}\n${output}`);
    assert.equal(readFileSync(join(container.upper, 'log'), 'utf8'), 'one\none\n');
    assert.deepEqual(readdirSync(join(dir, 'data')).sort(), ['once', 'running']);
    const [first, second] = await namesOf(2);
    assert.deepEqual(first, ['first']);
    assert.ok(second!.includes('bin/.wh.vi') && second!.includes('log'), second!.join(' '));
    assert.deepEqual(readdirSync(join(container.upper, '.envbuilder/work')), []);
  });
});

test('containers that start at once make each step once, and end with one root', async () => {
  const stamp = (name: string): string =>
    // Wait: so that the containers overlap; whether they do changes no result.
    `RUN cat /proc/sys/kernel/random/uuid >/${name} && cat /${name} >>/stamps-${name} && sleep 1`;
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS a
    ${stamp('same')}
    ${stamp('own')}
    FROM @REGISTRY@/busybox:1
    ${stamp('same')}
    COPY --from=a /own /of-a
    RUN cat /of-a /same >/all`;
  await trial(async ({ container, build, dir }) => {
    const others = [1, 2].map(() => createOwnContainer(trials.image, dir));
    try {
      // Its first build writes the Dockerfile that the others read.
      const args = [`--layer-cache-dir=${join(dir, 'cache')}`];
      const first = build(dockerfile, { args });
      const rest = others.map((other, i) =>
        other.build({ args: [...args, `--output=type=oci,dest=${dir}/other${i}`, join(dir, 'context')] }),
      );
      const outcomes = await Promise.all([first, ...rest]);
      for (const { error, output } of outcomes) assert.equal(error, undefined, `${error?.stack}\n${output}`);
      assert.equal(new Set(outcomes.map(({ result }) => result!.imageDigest)).size, 1);
      const built = outcomes.reduce((sum, { result }) => sum + result!.summary.stepsBuilt, 0);
      assert.equal(built, 4, JSON.stringify(outcomes.map(({ result }) => result!.summary)));
      const read = (name: string) =>
        [container, ...others].map(({ upper }) => readFileSync(join(upper, name), 'utf8'));
      assert.equal(new Set(read('all')).size, 1);
      assert.deepEqual(
        read('all'),
        read('of-a').map((own, i) => own + read('same')[i]!),
      );
    } finally {
      for (const other of others) other.close();
    }
  });
});

test('nothing is deleted where the root is not ours to replace', async () => {
  const dockerfile = 'FROM @REGISTRY@/busybox:1\nRUN touch /x';
  await trial(async ({ build, container }) => {
    container.prepare('mkdir -p "$root/canary" && echo alive >"$root/canary/bird"');
    const check = ({ error, canary }: ContainerOutcome, message: RegExp): void => {
      assert.equal(error?.code, 'UNSAFE', error?.stack ?? 'it was built');
      assert.match(error!.message, message);
      assert.equal(canary, true);
    };
    check(await build(dockerfile, { kanikoDir: '/kaniko' }), /KANIKO_DIR is "\/kaniko"/);
    check(await build(dockerfile, { privileged: true }, { root: 'chroot' }), /chroot/);
    check(await build(dockerfile, { shareRoot: true }, { root: 'shared' }), /shared/);
    check(await build(dockerfile, {}, { root: 'disk' }), /all of the disk/);
  });
});
