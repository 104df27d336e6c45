import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Trial, useTrials } from './support/inplace-trial.ts';
import { type ContainerOutcome, createOwnContainer } from './support/own-container.ts';

const trials = useTrials();
const { trial } = trials;

/** The warnings that say what is not stored: the instruction, and what it says of it. */
function warnings({ output }: ContainerOutcome): string[] {
  return [...output.matchAll(/^not stored in the cache: (.*)$/gm)].map(([, text]) => text ?? '');
}

function succeeded(outcome: ContainerOutcome): NonNullable<ContainerOutcome['result']> {
  assert.equal(outcome.error, undefined, `${outcome.error?.stack}\n${outcome.output}`);
  return outcome.result!;
}

/** A build of the same Dockerfile with the same cache by another machine, which has none of the mounts. */
async function elsewhere(
  { dir }: Trial,
  args: readonly string[] = [],
): Promise<{ readonly outcome: ContainerOutcome; readonly read: (path: string) => string }> {
  const container = createOwnContainer(trials.image, dir);
  try {
    const outcome = await container.build({
      args: [`--layer-cache-dir=${join(dir, 'cache')}`, ...args, join(dir, 'context')],
    });
    succeeded(outcome);
    const files = new Map<string, string>();
    for (const name of readdirSync(container.upper, { recursive: true, withFileTypes: true }))
      if (name.isFile() && !name.parentPath.includes('/.envbuilder'))
        files.set(
          join(name.parentPath, name.name).slice(container.upper.length),
          join(name.parentPath, name.name),
        );
    const texts = new Map(
      [...files]
        .filter(([path]) => !/^\/(bin|lib)/.test(path))
        .map(([path, at]) => [path, readFileSync(at, 'utf8')]),
    );
    return { outcome, read: (path) => texts.get(path) ?? `no ${path}` };
  } finally {
    container.close();
  }
}

const cached = (dir: string): string => `--layer-cache-dir=${join(dir, 'cache')}`;

test('what a RUN writes to a volume is in no cache, and another machine builds it itself', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS base
    RUN echo clean >/clean
    RUN mkdir -p /home/dev; echo tool >/home/dev/tool && echo made >/made
    RUN cat /home/dev/tool >/copy
    FROM @REGISTRY@/busybox:1
    RUN echo other >/other
    COPY --from=base /made /copy /`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    mkdirSync(join(volumes, 'home'));
    container.prepare(`mkdir -p "$root/home/dev" && mount --bind ${volumes}/home "$root/home/dev"`);
    const first = await build(dockerfile, { args: [cached(dir)] });
    assert.deepEqual(warnings(first), [
      'RUN mkdir -p /home/dev; echo tool >/home/dev/tool && echo made >/made changed the mount at /home/dev (/home/dev/tool) and its layer does not hold that',
    ]);
    assert.equal(succeeded(first).summary.stepsBuilt, 5);
    assert.equal(readFileSync(join(container.upper, 'copy'), 'utf8'), 'tool\n');
    const second = await elsewhere(one);
    assert.deepEqual(warnings(second.outcome), []);
    assert.equal(second.outcome.result!.summary.stepsHit, 2);
    assert.equal(second.outcome.result!.summary.stepsBuilt, 3);
    assert.equal(second.read('/copy') + second.read('/made') + second.read('/other'), 'tool\nmade\nother\n');
    const third = await elsewhere(one, ['--target=base']);
    assert.equal(third.outcome.result!.summary.stepsBuilt, 0);
    assert.equal(
      third.read('/home/dev/tool') + third.read('/copy') + third.read('/clean'),
      'tool\ntool\nclean\n',
    );
  });
});

test('of two mounts at one target the later one is seen, and both are as they were afterwards', async () => {
  const files = { first: 'type=secret,id=one', second: 'type=secret,id=two', bound: 'type=bind,source=file' };
  const directories = {
    tmpfs: 'type=tmpfs',
    cached: 'type=cache,id=c',
    bound: 'type=bind,source=dir',
  };
  const cases = [files, directories].flatMap((kinds) =>
    Object.values(kinds).flatMap((below) =>
      Object.entries(kinds).map(([shown, above]) => ({ below, above, shown })),
    ),
  );
  const runs = cases.flatMap(({ below, above }, i) => [
    `RUN --mount=${below},target=/t --mount=${above},target=/t cat /t /t/f >/out${i} 2>/dev/null || true`,
    `RUN --mount=type=cache,id=c,target=/c test "$(cat /c/f)" = cached && test ! -e /t`,
  ]);
  const twice = 'RUN --mount=type=cache,id=c,target=/c --mount=type=cache,id=c,target=/d cmp /c/f /d/f';
  const fill = 'RUN --mount=type=cache,id=c,target=/c printf cached >/c/f';
  await trial(async ({ container, dir, build }) => {
    mkdirSync(join(dir, 'context', 'dir'), { recursive: true });
    for (const file of ['file', 'dir/f']) writeFileSync(join(dir, 'context', file), 'bound');
    const outcome = await build(['FROM @REGISTRY@/busybox:1', fill, ...runs, twice].join('\n'), {
      args: ['--build-secrets=one=first,two=second'],
    });
    succeeded(outcome);
    const shown = cases.map((_, i) => readFileSync(join(container.upper, `out${i}`), 'utf8'));
    const expected = cases.map((each) => (each.shown === 'tmpfs' ? '' : each.shown));
    assert.deepEqual(shown, expected);
  });
});

test('an image with a step that is not stored is not pushed, and the build says so', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS base
    RUN mkdir -p /data && echo x >/data/x
    FROM base
    RUN echo y >/y`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    mkdirSync(join(volumes, 'data'));
    container.prepare(`mkdir -p "$root/data" && mount --bind ${volumes}/data "$root/data"`);
    const tag = `${trials.environment.services.registry!.host}/stained:latest`;
    const args = [cached(dir), '--push', `--tag=${tag}`];
    const first = await build(dockerfile, { args });
    assert.match(
      first.output,
      /the image is not pushed, for no other machine would make the same: RUN mkdir -p/,
    );
    assert.equal(succeeded(first).pushedReference, undefined);
    const reply = await fetch(`http://${tag.replace('/', '/v2/').replace(':latest', '/manifests/latest')}`);
    assert.equal(reply.status, 404);
    const strict = await build(dockerfile, { args: [...args, '--exit-on-push-failure'] });
    assert.equal(strict.error?.code, 'PUSH_FAILED', strict.output);
    const clean = await elsewhere(one, ['--push', `--tag=${tag}`]);
    assert.ok(clean.outcome.result!.pushedReference);
    assert.equal(clean.read('/data/x') + clean.read('/y'), 'x\ny\n');
  });
});

test('every kind of place that stays is noticed', async () => {
  const kinds: readonly (readonly [run: string, place: string])[] = [
    ['echo x >/volume/deep/f', 'the mount at /volume'],
    ['rm /volume/old', 'the mount at /volume'],
    ['chmod 600 /volume/mode', 'the mount at /volume'],
    ['mv /volume/here /volume/there', 'the mount at /volume'],
    ['echo x >/volume/nested/f', 'the mount at /volume/nested'],
    ['echo x >/memory/f', 'the mount at /memory'],
    ['echo x >>/etc/single', 'the mount at /etc/single'],
    ['echo "1.2.3.4 name" >>/etc/hosts', 'the mount at /etc/hosts'],
    ['echo x >/kept/f', '/kept, which is kept as it is,'],
    ['echo x >/ignored/file', '/ignored/file, which is kept as it is,'],
    ['mv /away/kept /stolen', '/away/kept, which is kept as it is,'],
    ['ln /kept/source /leaked', '/kept, which is kept as it is,'],
    ['mkdir /.envbuilder/mine', '/.envbuilder, which is kept as it is,'],
    ['echo x >/volume/one; echo x >/memory/two', 'the mount at /memory'],
  ];
  const stages = kinds.map(([run], i) => `FROM @REGISTRY@/busybox:1 AS s${i}\nRUN ${run}; touch /out${i}`);
  const copies = kinds.map((_, i) => `COPY --from=s${i} /out${i} /`);
  const dockerfile = [...stages, 'FROM @REGISTRY@/busybox:1', 'RUN touch /clean', ...copies].join('\n');
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    for (const name of ['volume', 'nested']) mkdirSync(join(volumes, name));
    container.prepare(`
      rm -rf "$root/stolen" && mkdir -p "$root/volume" "$root/memory" "$root/kept" "$root/ignored" "$root/away/kept"
      mount --bind ${volumes}/volume "$root/volume"
      mkdir -p "$root/volume/deep" "$root/volume/nested"
      touch "$root/volume/old" "$root/volume/mode" "$root/volume/here" "$root/kept/source" "$root/ignored/file"
      mount --bind ${volumes}/nested "$root/volume/nested"
      mount -t tmpfs tmpfs "$root/memory"
      touch ${volumes}/single "$root/etc/single"
      mount --bind ${volumes}/single "$root/etc/single"`);
    const keep = ['/kept', '/ignored/file', '/away/kept', '/none'];
    const outcome = await build(dockerfile, { args: [cached(dir)], keep });
    const { summary } = succeeded(outcome);
    const found = warnings(outcome);
    assert.equal(found.length, kinds.length, outcome.output);
    for (const [run, place] of kinds) {
      const text = found.find((line) => line.startsWith(`RUN ${run};`));
      assert.ok(text?.includes(`changed ${place} `), `${run}: ${text}`);
    }
    assert.equal(summary.stepsHit, 0);
    // But for the one that is clean, all is made again.
    const again = await build(dockerfile, { args: [cached(dir)], keep });
    assert.equal(succeeded(again).summary.stepsHit, 1);
  });
});

test('a directory that only a mount has is not taken for one that a RUN has made', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    RUN mkdir -p /etc /home/other && echo one >/one
    RUN mkdir -p /home/dev && echo two >/two
    RUN echo dev:x:1000:1000::/data/user:/bin/sh >>/etc/passwd && { test -d /data/user || mkdir -p /data/user; }
    RUN echo inside >/home/dev/inside; echo user >/data/user/file`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    for (const name of ['home', 'user']) mkdirSync(join(volumes, name));
    container.prepare(`
      mkdir -p "$root/home/dev" "$root/data/user"
      mount --bind ${volumes}/home "$root/home/dev" && mount --bind ${volumes}/user "$root/data/user"`);
    const outcome = await build(dockerfile, { args: [cached(dir)] });
    succeeded(outcome);
    assert.match(
      warnings(outcome)[0]!,
      /^RUN mkdir -p \/home\/dev .* found the mount at \/home\/dev there, which/,
    );
    assert.match(warnings(outcome)[1]!, /^RUN echo dev:x.* found the mount at \/data\/user there, which/);
    const other = await elsewhere(one);
    assert.equal(other.outcome.result!.summary.stepsHit, 1);
    assert.equal(other.read('/home/dev/inside') + other.read('/data/user/file'), 'inside\nuser\n');
  });
});

test('what leaves nothing behind is stored as ever', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    WORKDIR /scratch
    RUN echo x >/scratch/work && mkdir /scratch/dir && echo y >/scratch/dir/y && cat /scratch/work /scratch/dir/y >/out && rm -r /scratch/work /scratch/dir
    RUN ! touch /readonly/x && ! rm /readonly/file && echo tried >/tried
    RUN touch /dev/shm/x; cat /etc/hosts /etc/resolv.conf >/dev/null; rm -f /kept/none; touch /none`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    mkdirSync(join(volumes, 'readonly'));
    writeFileSync(join(volumes, 'readonly/file'), 'file');
    container.prepare(`
      mkdir -p "$root/scratch" "$root/readonly" "$root/kept"
      mount -t tmpfs -o mode=1777 tmpfs "$root/scratch"
      mount --bind ${volumes}/readonly "$root/readonly" && mount -o remount,bind,ro "$root/readonly"`);
    const outcome = await build(dockerfile, { args: [cached(dir)], keep: ['/kept', '/none'] });
    succeeded(outcome);
    assert.deepEqual(warnings(outcome), []);
    const other = await elsewhere(one);
    assert.equal(other.outcome.result!.summary.stepsBuilt, 0);
    assert.equal(other.read('/out'), 'x\ny\n');
  });
});

test('what COPY and earlier steps made at a mount is there for a RUN, and the user’s files are as they were', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1 AS files
    RUN mkdir -p /bundle/sub && echo bundled >/bundle/sub/f && ln -s sub/f /bundle/link && chmod 700 /bundle/sub
    FROM @REGISTRY@/busybox:1
    WORKDIR /home/dev
    RUN mkdir -p /etc && echo dev:x:1000:1000::/home/dev:/bin/sh >>/etc/passwd && echo dev:x:1000: >>/etc/group
    WORKDIR /home/dev/project
    COPY package.json ./
    COPY --chown=dev --chmod=755 run.sh /home/dev/
    COPY --from=files /bundle /home/dev/bundle
    RUN cat package.json ../bundle/link && ../run.sh && stat -c %u:%a ../run.sh && stat -c %a ../bundle/sub && \\
        cat /home/dev/mine && echo seen >/seen
    WORKDIR /workspaces/app
    COPY package.json settings ./
    RUN cat package.json settings code && echo again >/again`;
  await trial(async (one) => {
    const { container, dir, volumes, build, names } = one;
    writeFileSync(join(dir, 'context/package.json'), 'package\n');
    writeFileSync(join(dir, 'context/settings'), 'from the context\n');
    writeFileSync(join(dir, 'context/run.sh'), '#!/bin/sh\necho running\n');
    mkdirSync(join(volumes, 'home'));
    writeFileSync(join(volumes, 'home/mine'), 'mine\n');
    writeFileSync(join(volumes, 'home/run.sh'), 'of the user\n');
    container.prepare(`
      mkdir -p "$root/home/dev" && mount --bind ${volumes}/home "$root/home/dev"
      mkdir -p "$root/workspaces/app" && cd "$root/workspaces/app"
      echo code >code && echo package >package.json && echo of the user >settings && touch -d @1500000000 .`);
    const keep = ['/workspaces/app'];
    const outcome = await build(dockerfile, { args: [cached(dir)], keep });
    succeeded(outcome);
    assert.match(outcome.output, /package\nbundled\nrunning\n1000:755\n700\nmine\n/);
    assert.match(outcome.output, /package\nfrom the context\ncode\n/);
    assert.deepEqual(warnings(outcome), []);
    assert.deepEqual(readdirSync(join(volumes, 'home')).sort(), ['mine', 'run.sh']);
    assert.equal(readFileSync(join(volumes, 'home/run.sh'), 'utf8'), 'of the user\n');
    const workspace = join(container.upper, 'workspaces/app');
    assert.deepEqual(readdirSync(workspace).sort(), ['code', 'package.json', 'settings']);
    assert.equal(readFileSync(join(workspace, 'settings'), 'utf8'), 'of the user\n');
    const layers = (await names(8)).flat();
    for (const path of ['home/dev/project/package.json', 'home/dev/bundle/sub/f', 'workspaces/app/settings'])
      assert.ok(layers.includes(path), path);
    const other = await elsewhere(one);
    assert.equal(other.outcome.result!.summary.stepsBuilt, 0);
    assert.equal(other.read('/home/dev/run.sh'), '#!/bin/sh\necho running\n');
    assert.equal(other.read('/workspaces/app/settings'), 'from the context\n');
  });
});

test('what a RUN makes of such files later steps of this start see, and nobody else', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    WORKDIR /home/dev/app
    COPY package.json old ./
    RUN echo changed >package.json && rm old && mkdir -p node_modules && echo module >node_modules/m
    RUN cat package.json node_modules/m && ! test -e old && ls /home/dev && echo end >/end`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    writeFileSync(join(dir, 'context/package.json'), 'package\n');
    writeFileSync(join(dir, 'context/old'), 'old\n');
    mkdirSync(join(volumes, 'home'));
    container.prepare(`mkdir -p "$root/home/dev" && mount --bind ${volumes}/home "$root/home/dev"`);
    for (let start = 0; start < 2; start += 1) {
      const outcome = await build(dockerfile, { args: [cached(dir)] });
      succeeded(outcome);
      assert.match(outcome.output, /changed\nmodule\n/);
      assert.equal(warnings(outcome).length, 1, outcome.output);
      assert.match(warnings(outcome)[0]!, /^RUN echo changed .* changed the mount at \/home\/dev/);
      assert.ok(existsSync(join(volumes, 'home/app/node_modules/m')));
      assert.ok(!existsSync(join(volumes, 'home/.envbuilder-saved')));
    }
    const other = await elsewhere(one);
    assert.equal(other.outcome.result!.summary.stepsBuilt, 2);
    assert.equal(
      other.read('/home/dev/app/package.json') + other.read('/home/dev/app/node_modules/m'),
      'changed\nmodule\n',
    );
    assert.equal(other.read('/home/dev/app/old'), 'no /home/dev/app/old');
  });
});

test('where the image’s files cannot be shown, what a RUN makes is not stored', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    COPY data /readonly/data
    RUN cat /readonly/data >/out 2>/dev/null || echo none >/out
    RUN echo later >/later`;
  await trial(async (one) => {
    const { container, dir, volumes, build } = one;
    writeFileSync(join(dir, 'context/data'), 'of the image\n');
    mkdirSync(join(volumes, 'readonly'));
    container.prepare(`
      mkdir -p "$root/readonly" && mount --bind ${volumes}/readonly "$root/readonly" && mount -o remount,bind,ro "$root/readonly"`);
    const outcome = await build(dockerfile, { args: [cached(dir)] });
    succeeded(outcome);
    assert.match(
      warnings(outcome)[0] ?? outcome.output,
      /^RUN cat .* saw the mount at \/readonly instead of what the image has there \(\/readonly\/data\)/,
    );
    const other = await elsewhere(one);
    assert.equal(other.outcome.result!.summary.stepsHit, 1);
    assert.equal(other.read('/out') + other.read('/later'), 'of the image\nlater\n');
  });
});

test('a build that is killed leaves nothing in a volume that the next one does not put right', async () => {
  const dockerfile = `
    FROM @REGISTRY@/busybox:1
    COPY settings /home/dev/settings
    RUN if mkdir /data/once 2>/dev/null; then cat /home/dev/settings >/data/running; sleep 1000; fi; cat /home/dev/settings`;
  await trial(async (one) => {
    const { dir, volumes } = one;
    for (const name of ['home', 'data']) mkdirSync(join(volumes, name));
    writeFileSync(join(volumes, 'home/settings'), 'of the user\n');
    writeFileSync(join(dir, 'context/settings'), 'of the image\n');
    writeFileSync(
      join(dir, 'context/Dockerfile'),
      dockerfile.replaceAll('@REGISTRY@', trials.environment.services.registry!.host),
    );
    // Two containers, as where a pod is replaced by another one.
    for (const kill of [true, false]) {
      const container = createOwnContainer(trials.image, dir);
      try {
        container.prepare(`
          mkdir -p "$root/home/dev" "$root/data"
          mount --bind ${volumes}/home "$root/home/dev" && mount --bind ${volumes}/data "$root/data"`);
        const running = kill ? { killWhenThere: join(volumes, 'data/running') } : {};
        const outcome = await container.build({ args: [join(dir, 'context')] }, running);
        if (kill) {
          assert.equal(outcome.error?.message, 'no outcome');
          assert.equal(readFileSync(join(volumes, 'home/settings'), 'utf8'), 'of the image\n');
        } else assert.match(outcome.output, /of the image\n/, outcome.error?.stack ?? outcome.output);
      } finally {
        container.close();
      }
    }
    assert.deepEqual(readdirSync(join(volumes, 'home')), ['settings']);
    assert.equal(readFileSync(join(volumes, 'home/settings'), 'utf8'), 'of the user\n');
  });
});
