import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError, type ErrorCode } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import { tempDir, until } from '../core/testing.ts';
import type { ContainerConfig } from '../oci/types.ts';
import { runAs } from '../sys/run-as.ts';
import { runStart } from './start.ts';
import type { Definition, StartDeps, StartedDevcontainer, StartRequest } from './types.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const origin = 'devcontainer.json';
const config: ContainerConfig = { Env: ['PATH=/usr/bin:/bin', 'FROM_IMAGE=1'], User: 'dev' };
const plain: StartedDevcontainer = {
  containerEnv: {},
  remoteEnv: {},
  userEnvProbe: 'none',
  hooks: {},
  entrypoints: [],
};

/** A machine of directories, and what happened on it. */
function machine(t: TestContext) {
  const dir = tempDir(t);
  chmodSync(dir, 0o755);
  const root = join(dir, 'root');
  const ownDir = join(dir, 'own');
  const folder = join(dir, 'workspace');
  for (const path of [join(root, 'etc'), join(root, 'home/dev'), ownDir, folder])
    mkdirSync(path, { recursive: true });
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/bash\ndev:x:1234:1235::/home/dev:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'dev:x:1235:\naudio:x:63:dev\n');
  writeFileSync(join(root, 'etc/environment'), 'FROM_ETC=1\n');
  return { dir, root, ownDir, folder };
}

type Machine = ReturnType<typeof machine>;

interface Change {
  readonly request?: Partial<StartRequest>;
  readonly deps?: Partial<StartDeps<string>>;
  readonly devcontainer?: Partial<StartedDevcontainer>;
}

async function start({ root, ownDir, folder }: Machine, { request, deps, devcontainer }: Change = {}) {
  const events: Event[] = [];
  const builds: Definition<string>[] = [];
  const full: StartRequest = {
    root,
    ownDir,
    workspaceFolder: folder,
    env: { PATH: '/bin', HOSTNAME: 'box', HOME: '/' },
    remoteRepoBuild: false,
    skipRebuild: false,
    exitOnBuildFailure: false,
    runAttach: false,
    initCommand: '/bin/sh',
    initArgs: ['-c', 'sleep infinity'],
    terminal: false,
    ...request,
  };
  const definition = {
    build: { context: folder, dockerfile: join(folder, 'Dockerfile') },
    devcontainer: 'source',
  };
  const result = await runStart<string>(full, {
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    prepareWorkspace: async () => ({ folder, state: 'found' }),
    requireRights: () => {},
    cloneForBuild: async () => assert.fail('no clone for the build was asked for'),
    define: async () => definition,
    build: async (one) => {
      builds.push(one);
      return config;
    },
    describe: (source) => (source === undefined ? plain : { ...plain, ...devcontainer }),
    runAs,
    ...deps,
  }).catch((error: unknown) => error);
  const texts = events.map((event) => ('text' in event ? event.text : event.type));
  const warnings = events
    .filter(({ type }) => type === 'warning')
    .map((event) => ('text' in event ? event.text : ''));
  return { result, command: result as Awaited<ReturnType<typeof runStart>>, builds, texts, warnings };
}

const failing = (code: ErrorCode) => async () => {
  throw new AppError(code, `it failed with ${code}`);
};

test('the command, its user and its environment', { skip }, async (t) => {
  const on = machine(t);
  const { command, builds } = await start(on, {
    devcontainer: {
      configFile: '/w/devcontainer.json',
      containerEnv: { A: 'container', B: 'container' },
      remoteEnv: { B: 'remote', FROM_ETC: null },
    },
    request: { exportEnvFile: join(on.dir, 'out/export.env') },
  });
  assert.equal(builds.length, 1);
  assert.deepEqual(command, {
    argv: ['/bin/sh', '-c', 'sleep infinity'],
    env: {
      PATH: '/usr/bin:/bin',
      HOSTNAME: 'box',
      FROM_IMAGE: '1',
      ENVBUILDER: 'true',
      DEVCONTAINER: 'true',
      DEVCONTAINER_CONFIG: '/w/devcontainer.json',
      A: 'container',
      B: 'remote',
      HOME: '/home/dev',
      USER: 'dev',
      SHELL: '/bin/sh',
    },
    cwd: on.folder,
    uid: 1234,
    gid: 1235,
    groups: [1235, 63],
  });
  assert.equal(
    readFileSync(join(on.dir, 'out/export.env'), 'utf8'),
    'A=container\nB=remote\nDEVCONTAINER=true\nDEVCONTAINER_CONFIG=/w/devcontainer.json\nENVBUILDER=true\nFROM_IMAGE=1\nPATH=/usr/bin:/bin\n',
  );
});

test('a start that has come to its end is marked, for probes, and not while another is under way', {
  skip,
}, async (t) => {
  const on = machine(t);
  const mark = join(on.ownDir, 'started');
  await start(on);
  assert.ok(existsSync(mark));
  let during = true;
  const build = async () => {
    during = existsSync(mark);
    return config;
  };
  await start(on, { deps: { build } });
  assert.equal(during, false);
  assert.ok(existsSync(mark));
  await start(on, { deps: { build: failing('BUILD_FAILED') } });
  assert.ok(!existsSync(mark));
});

test('who the user is', { skip }, async (t) => {
  const on = machine(t);
  writeFileSync(
    join(on.root, 'etc/passwd'),
    'root:x:0:0::/root:\nown:x:1:1::/:\nremote:x:2:2::/:\ncontainer:x:3:3::/:\nimage:x:4:4::/:\nnamed:x:5:5::/:\n',
  );
  const own = { ownContainerUser: 'own', containerUser: 'own' };
  const remote = { remoteUser: 'remote' };
  // Where containerUser of the file counts more than remoteUser, it is as in the Go program (its docs/users.md).
  const cases: [
    Partial<StartedDevcontainer>,
    User: string | undefined,
    wanted: string | undefined,
    number,
  ][] = [
    [{ ...own, ...remote }, 'image', undefined, 1],
    [{ ...own, ...remote }, 'image', 'remote', 2],
    [{ ...own, ...remote }, 'image', 'container', 1],
    [own, 'image', 'remote', 1],
    [{ containerUser: 'container', ...remote }, 'image', undefined, 2],
    [{ containerUser: 'container', ...remote }, 'image', 'container', 3],
    [{ containerUser: 'container' }, 'image', undefined, 3],
    [remote, 'image', undefined, 2],
    [remote, undefined, 'container', 0],
    [{}, 'image', undefined, 4],
    [{}, 'image', 'remote', 4],
    [{}, undefined, undefined, 0],
    [{ ...own, ...remote }, 'image', 'named', 5],
    [{ ...own, ...remote }, 'image', '77:5', 77],
    [{}, 'image', 'root', 0],
  ];
  for (const [devcontainer, User, wanted, uid] of cases) {
    const { command } = await start(on, {
      devcontainer,
      deps: { build: async () => (User === undefined ? {} : { User }) },
      request: wanted === undefined ? {} : { initUser: wanted },
    });
    assert.equal(command.uid, uid, JSON.stringify([devcontainer, User, wanted]));
  }
  const both = await start(on, { devcontainer: { ...own, ...remote } });
  assert.ok(both.texts.some((text) => /own, .* and not the remoteUser remote;/.test(text)));
  const { result } = await start(on, { devcontainer: { remoteUser: 'nobody-here' } });
  assert.equal((result as AppError).code, 'START_FAILED');
  const named = await start(on, { request: { initUser: 'nobody-here' } });
  assert.match((named.result as AppError).message, /nobody-here.*ENVBUILDER_INIT_USER/);
});

test('a clone and the home belong to the user; of a workspace that was there what is root’s, where it is closed', {
  skip,
}, async (t) => {
  const on = machine(t);
  const owner = (path: string) => lstatSync(join(on.dir, path)).uid;
  const own = (uid: number, mode: number, git = uid): void => {
    rmSync(on.folder, { recursive: true });
    mkdirSync(join(on.folder, '.git'), { recursive: true });
    for (const name of ['file', 'theirs']) writeFileSync(join(on.folder, name), '');
    chownSync(join(on.folder, 'theirs'), 77, 77);
    chownSync(join(on.folder, '.git'), git, 0);
    chownSync(on.folder, uid, 0);
    chmodSync(on.folder, mode);
  };
  const owners = () => ['workspace', 'workspace/.git', 'workspace/file', 'workspace/theirs'].map(owner);
  const given = (texts: readonly string[]) => texts.some((text) => text.includes('who could not write it'));

  own(0, 0o755);
  const closed = await start(on);
  assert.deepEqual([...owners(), owner('root/home/dev')], [1234, 1234, 1234, 77, 1234]);
  assert.ok(given(closed.texts));
  assert.ok(!given((await start(on)).texts), 'it is given once');

  // As an emptyDir of Kubernetes: everybody writes the folder, but not what git has made there as root.
  own(0, 0o777);
  assert.ok(given((await start(on)).texts));
  assert.deepEqual(owners(), [1234, 1234, 1234, 77]);

  own(1234, 0o700);
  await start(on);
  assert.deepEqual(owners(), [1234, 1234, 0, 77], 'the user can work there');

  own(88, 0o755);
  const foreign = await start(on);
  assert.deepEqual(owners(), [88, 88, 0, 77]);
  assert.match(foreign.warnings.join(), /dev cannot write the workspace .* belongs to the user 88/);

  own(0, 0o755);
  await start(on, { request: { initUser: 'root' } });
  assert.deepEqual(owners(), [0, 0, 0, 77]);

  await start(on, { deps: { prepareWorkspace: async () => ({ folder: on.folder, state: 'cloned' }) } });
  assert.deepEqual(owners(), [1234, 1234, 1234, 1234]);
});

test('hooks run as the user and in the workspace, each as often as it is due', { skip }, async (t) => {
  const on = machine(t);
  const log = join(on.dir, 'log');
  writeFileSync(log, '', { mode: 0o666 });
  chmodSync(log, 0o666);
  const hook = (name: string) => [{ origin, command: `echo ${name} $(id -u) $PWD $A >> ${log}` }];
  const devcontainer = {
    containerEnv: { A: 'a' },
    hooks: {
      initializeCommand: hook('initialize'),
      onCreateCommand: hook('create'),
      updateContentCommand: hook('update'),
      postCreateCommand: hook('postCreate'),
      postStartCommand: hook('postStart'),
      postAttachCommand: hook('attach'),
    },
  };
  const names = () => {
    const found = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    writeFileSync(log, '');
    return found;
  };
  const first = await start(on, { devcontainer });
  // Their time is a phase of the start.
  assert.equal(first.texts.filter((text) => text === 'phase').length, 1);
  assert.match(readFileSync(log, 'utf8'), new RegExp(`^create 1234 ${on.folder} a$`, 'm'));
  assert.deepEqual(names(), ['create', 'update', 'postCreate', 'postStart']);
  const at = (commit: string) => async () => ({ folder: on.folder, state: 'found' as const, commit });
  const again = async (deps: Change['deps'] = {}) => {
    const { builds, command } = await start(on, { request: { skipRebuild: true }, deps });
    assert.deepEqual([builds.length, command.uid], [0, 1234]);
    return names();
  };
  assert.deepEqual(await again(), ['postStart']);
  // Content is new when HEAD is another commit.
  assert.deepEqual(await again({ prepareWorkspace: at('one') }), ['update', 'postStart']);
  assert.deepEqual(await again({ prepareWorkspace: at('one') }), ['postStart']);
  assert.deepEqual(await again({ prepareWorkspace: at('two') }), ['update', 'postStart']);
  // What is built anew is created anew.
  await start(on, { devcontainer });
  assert.deepEqual(names(), ['create', 'update', 'postCreate', 'postStart']);
});

test('a hook that failed and those after it run again, and the start goes on without them', {
  skip,
}, async (t) => {
  const on = machine(t);
  const hooks = {
    onCreateCommand: [{ origin, command: 'true' }],
    updateContentCommand: [{ origin, command: `test -e ${on.dir}/ready` }],
    postCreateCommand: [{ origin, command: 'true' }],
    postStartCommand: [{ origin, command: 'exit 1' }],
  };
  const first = await start(on, { devcontainer: { hooks } });
  assert.equal(first.command.argv[0], '/bin/sh');
  assert.match(
    first.warnings[0]!,
    /^updateContentCommand of devcontainer.json exited with code 1; not run: postCreateCommand, postStartCommand$/,
  );
  const running = ({ texts }: { texts: string[] }) =>
    texts.flatMap((text) => /^running (\w+)/.exec(text)?.[1] ?? []);
  assert.deepEqual(running(first), ['onCreateCommand', 'updateContentCommand']);
  writeFileSync(join(on.dir, 'ready'), '');
  const second = await start(on, { request: { skipRebuild: true } });
  assert.deepEqual(running(second), ['updateContentCommand', 'postCreateCommand', 'postStartCommand']);
  assert.match(second.warnings[0]!, /^postStartCommand/);
  assert.deepEqual(running(await start(on, { request: { skipRebuild: true } })), ['postStartCommand']);
});

test('what has succeeded before a start is ended does not run again', { skip }, async (t) => {
  const on = machine(t);
  writeFileSync(join(on.ownDir, 'image'), JSON.stringify({ version: 1, config }));
  const hooks = {
    onCreateCommand: [{ origin, command: 'true' }],
    postCreateCommand: [{ origin, command: 'echo now; sleep 1000' }],
  };
  const controller = new AbortController();
  const describe = () => ({ ...plain, hooks });
  const emit = (event: Event) => {
    if ('text' in event && event.text.endsWith(': now')) controller.abort(new Error('ended'));
  };
  const first = await start(on, { deps: { describe, emit, signal: controller.signal } });
  assert.match(String(first.result), /ended/);
  const short = { ...hooks, postCreateCommand: [{ origin, command: 'true' }] };
  const second = await start(on, { deps: { describe: () => ({ ...plain, hooks: short }) } });
  assert.deepEqual(
    second.texts.filter((text) => text.startsWith('running')),
    [`running postCreateCommand as dev (${origin})`],
  );
});

test('the init command does not wait for hooks behind the one that is named', { skip }, async (t) => {
  const on = machine(t);
  const at = (name: string): string => join(on.dir, name);
  const hooks = {
    onCreateCommand: [{ origin, command: 'true' }],
    postStartCommand: [
      {
        origin,
        command: `while test -d ${on.dir} && ! test -e ${at('go')}; do sleep 0.1; done; exec true > ${at('end')}`,
      },
    ],
    postAttachCommand: [{ origin, command: `true > ${at('attached')}` }],
  };
  chmodSync(on.dir, 0o777);
  const said = async (devcontainer: Partial<StartedDevcontainer>, request: Partial<StartRequest>) => {
    const { command, texts } = await start(on, { devcontainer: { hooks, ...devcontainer }, request });
    assert.deepEqual(command.argv, ['/bin/sh', '-c', 'sleep infinity']);
    assert.ok(!existsSync(at('end')), 'it waited');
    return texts.filter((text) => text.startsWith('postAttachCommand'));
  };
  const [line = ''] = await said({ waitFor: 'updateContentCommand' }, {});
  assert.match(line, /ENVBUILDER_RUN_ATTACH=true runs it$/);
  await said({}, { waitFor: 'specification' });
  await said({ waitFor: 'postStartCommand' }, { waitFor: 'postCreateCommand' });
  assert.deepEqual(await said({}, { waitFor: 'onCreateCommand', runAttach: true }), []);
  writeFileSync(at('go'), '');
  await until('the hooks have ended', () => existsSync(at('attached')));
  for (const waits of [{}, { waitFor: 'all' }]) {
    rmSync(at('end'));
    await start(on, { devcontainer: { hooks }, request: waits });
    assert.ok(existsSync(at('end')), 'without a word of anybody all are waited for');
  }
});

test('dotfiles come between postCreateCommand and postStartCommand, once, and nothing fails with them', {
  skip,
}, async (t) => {
  const on = machine(t);
  chmodSync(on.dir, 0o777);
  const target = join(on.dir, 'dotfiles');
  const dotfiles = { repository: 'https://host/me/dotfiles', target };
  const clones: string[] = [];
  const clone = (script: string) => async (directory: string) => {
    clones.push(directory);
    mkdirSync(directory);
    writeFileSync(join(directory, 'install.sh'), `#!/bin/sh\n${script}\n`);
  };
  const hook = [{ origin, command: 'true' }];
  const hooks = { postCreateCommand: hook, postStartCommand: hook };
  const run = async (script: string, change: Partial<StartRequest> = {}, deps: Change['deps'] = {}) => {
    const { texts, warnings, command } = await start(on, {
      devcontainer: { hooks },
      request: { dotfiles, ...change },
      deps: { cloneDotfiles: clone(script), ...deps },
    });
    assert.equal(command.uid, 1234);
    assert.deepEqual(
      readdirSync(on.ownDir).filter((name) => name.startsWith('dotfiles')),
      [],
    );
    return { ran: texts.flatMap((text) => /^running (\w+)/.exec(text)?.[1] ?? []), texts, warnings };
  };
  const ready = `echo as $(id -u) in $PWD; test -e ${on.dir}/ready`;
  const failed = await run(ready);
  assert.deepEqual(failed.ran, ['postCreateCommand', 'dotfiles', 'postStartCommand']);
  assert.ok(failed.texts.includes(`dotfiles: as 1234 in ${target}`), failed.texts.join('\n'));
  assert.deepEqual(failed.warnings, ['dotfiles of https://host/me/dotfiles exited with code 1']);
  // What is there is used, and tried again until it works.
  const again = { skipRebuild: true };
  writeFileSync(join(on.dir, 'ready'), '');
  assert.deepEqual(await run(ready, again).then(({ ran, warnings }) => [ran, warnings]), [
    ['dotfiles', 'postStartCommand'],
    [],
  ]);
  assert.deepEqual((await run(ready, again)).ran, ['postStartCommand']);
  assert.equal(clones.length, 1);
  rmSync(target, { recursive: true });
  const gone = await run('', {}, { cloneDotfiles: failing('AUTH') });
  assert.deepEqual(gone.ran, ['postCreateCommand', 'postStartCommand']);
  assert.match(gone.warnings[0]!, /failed with AUTH; the start goes on without the dotfiles https:/);
  // They run beside the command where it does not wait for what comes after them.
  const [installed, end] = [join(on.dir, 'installed'), join(on.dir, 'end')];
  const last = [{ origin, command: `test -e ${installed} && true > ${end}` }];
  const { texts } = await start(on, {
    devcontainer: { hooks: { ...hooks, postStartCommand: last } },
    request: { dotfiles, waitFor: 'postCreateCommand' },
    deps: { cloneDotfiles: clone(`true > ${installed}`) },
  });
  assert.ok(texts.includes(`running postCreateCommand as dev (${origin})`));
  await until('the hooks have ended', () => existsSync(end));
});

test('secrets reach hooks and the installation of dotfiles, and nothing else', { skip }, async (t) => {
  const on = machine(t);
  chmodSync(on.dir, 0o777);
  const value = 'value-of-the-secret';
  const hookSecrets = { env: { SECRET: value, A: 'of the secrets' }, masked: [value] };
  // By its length, since commands are kept.
  const ends = (name: string): string =>
    `test "$\{#SECRET} $A" = "${value.length} of the secrets" && touch ${on.dir}/${name}`;
  const hook = (name: string) => [{ origin, command: ends(name) }];
  const dotfiles = { repository: 'r', target: join(on.dir, 'dots') };
  const cloneDotfiles = async (directory: string) => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'install.sh'), ends('dotfiles'));
  };
  const events: Event[] = [];
  const { command } = await start(on, {
    devcontainer: {
      containerEnv: { A: 'of the container' },
      userEnvProbe: 'loginShell',
      entrypoints: [{ origin, command: `env > ${on.dir}/entry` }],
      hooks: {
        onCreateCommand: hook('onCreateCommand'),
        postCreateCommand: hook('postCreateCommand'),
        postStartCommand: hook('postStartCommand'),
      },
    },
    request: {
      ...{ hookSecrets, dotfiles, waitFor: 'postCreateCommand' },
      setupScript: `env > ${on.dir}/setup`,
      exportEnvFile: join(on.dir, 'exported'),
    },
    deps: { cloneDotfiles, emit: (event) => events.push(event) },
  });
  for (const name of ['onCreateCommand', 'postCreateCommand', 'dotfiles', 'postStartCommand'])
    await until(`${name} has had them`, () => existsSync(join(on.dir, name)));
  assert.equal(command.env.A, 'of the container');
  const files = readdirSync(on.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  assert.ok(['entry', 'setup', 'exported', 'own/built'].every((name) => files.includes(join(on.dir, name))));
  for (const file of files) assert.ok(!readFileSync(file, 'utf8').includes(value), file);
  assert.ok(!JSON.stringify([command, events]).includes(value));
});

test('hooks have what the user’s shell adds, the init command where that is asked for', {
  skip,
}, async (t) => {
  const on = machine(t);
  const profile = join(on.root, 'home/dev/.profile');
  writeFileSync(profile, 'export ADDED=1\n');
  const hooks = { onCreateCommand: [{ origin, command: 'echo "$ADDED"' }] };
  const run = async (devcontainer: Partial<StartedDevcontainer>, request: Partial<StartRequest> = {}) => {
    const env = { PATH: '/bin', HOME: '/' };
    const { userEnvProbe: _, ...unasked } = plain;
    const remoteEnv = { ENV: profile };
    const { command, texts } = await start(on, {
      deps: { describe: () => ({ ...unasked, hooks, remoteEnv, ...devcontainer }) },
      request: { env, ...request },
    });
    return [command.env.ADDED, texts.findLast((text) => text.startsWith('onCreateCommand:'))];
  };
  assert.deepEqual(await run({}), [undefined, 'onCreateCommand: 1']);
  assert.deepEqual(await run({}, { userEnvProbe: 'interactiveShell' }), ['1', 'onCreateCommand: 1']);
  assert.deepEqual(await run({ userEnvProbe: 'interactiveShell' }), ['1', 'onCreateCommand: 1']);
  assert.deepEqual(await run({}, { userEnvProbe: 'none' }), [undefined, 'onCreateCommand: ']);
  assert.deepEqual(await run({ userEnvProbe: 'none' }), [undefined, 'onCreateCommand: ']);
});

test('the shell is asked once in a container', { skip }, async (t) => {
  const on = machine(t);
  writeFileSync(join(on.ownDir, 'image'), JSON.stringify({ version: 1, config }));
  const asked = join(on.dir, 'asked');
  writeFileSync(asked, '');
  chmodSync(asked, 0o666);
  const file = join(on.root, 'rc');
  writeFileSync(file, `echo now >> ${asked}; export ADDED=1\n`);
  const devcontainer = {
    ...plain,
    userEnvProbe: 'interactiveShell' as const,
    remoteEnv: { ENV: file },
    hooks: { postStartCommand: [{ origin, command: ['printenv', 'ADDED'] }] },
  };
  for (let i = 0; i < 2; i += 1) {
    const { texts } = await start(on, { deps: { describe: () => devcontainer } });
    assert.ok(texts.includes('postStartCommand: 1'), texts.join('\n'));
  }
  assert.equal(readFileSync(asked, 'utf8'), 'now\n');
});

test('postStartCommand can be left to a script', { skip }, async (t) => {
  const on = machine(t);
  const postStartScript = join(on.dir, 'post-start.sh');
  writeFileSync(postStartScript, 'old');
  const hooks = { postStartCommand: [{ origin, command: `touch ${on.dir}/ran` }] };
  await start(on, { devcontainer: { hooks }, request: { postStartScript } });
  assert.equal(existsSync(join(on.dir, 'ran')), false);
  assert.equal(readFileSync(postStartScript, 'utf8'), `#!/bin/sh\n\ntouch ${on.dir}/ran\n`);
  assert.equal(lstatSync(postStartScript).mode & 0o777, 0o755);
  await start(on, { request: { postStartScript } });
  assert.equal(existsSync(postStartScript), false, 'the one of an earlier start is gone');
});

test('the setup script chooses command and user', { skip }, async (t) => {
  const on = machine(t);
  const { command } = await start(on, {
    request: { setupScript: 'printf "INIT_COMMAND=/sbin/init\\nTARGET_USER=root\\n" > $ENVBUILDER_ENV' },
  });
  assert.deepEqual(command.argv, ['/sbin/init']);
  assert.deepEqual([command.uid, command.env.HOME, command.env.USER], [0, '/root', 'root']);
});

test('a pushed image starts from its own file system', { skip }, async (t) => {
  const on = machine(t);
  const start_ = { devcontainerFile: '.devcontainer/devcontainer.json' };
  writeFileSync(join(on.ownDir, 'image'), JSON.stringify({ version: 1, config, start: start_ }));
  const hooks = { onCreateCommand: [{ origin, command: 'true' }] };
  const change: Change = {
    deps: {
      describe: (_, image, file) => {
        assert.deepEqual([image, file], [config, join(on.folder, start_.devcontainerFile)]);
        return { ...plain, hooks };
      },
    },
    request: { exportEnvFile: join(on.dir, 'export') },
  };
  const first = await start(on, change);
  assert.equal(first.builds.length, 0);
  assert.deepEqual([first.command.uid, first.command.env.FROM_IMAGE], [1234, '1']);
  assert.equal(first.command.env.DEVCONTAINER_CONFIG, join(on.folder, start_.devcontainerFile));
  assert.ok(first.texts.some((text) => text.startsWith('running onCreateCommand')));
  assert.equal(existsSync(join(on.dir, 'export')), false);
  const second = await start(on, change);
  assert.ok(!second.texts.some((text) => text.startsWith('running onCreateCommand')));
});

test('what an earlier start left counts only when it can be read and is asked for', { skip }, async (t) => {
  const on = machine(t);
  writeFileSync(join(on.ownDir, 'built'), '');
  writeFileSync(join(on.ownDir, 'image'), '');
  assert.equal((await start(on, { request: { skipRebuild: true } })).builds.length, 1);
  assert.equal((await start(on)).builds.length, 1);
  // A build that fails leaves nothing that could be started.
  await start(on, { deps: { build: failing('BUILD_FAILED') } });
  assert.equal(existsSync(join(on.ownDir, 'built')), false);
});

test('the fallback image takes the place of what fails, by the kind of failure', { skip }, async (t) => {
  const on = machine(t);
  const fallbackImage = 'registry/fallback:1';
  const request = { fallbackImage };
  const isFallback = ({ builds }: { builds: Definition<string>[] }) =>
    builds.at(-1)?.build.dockerfileText === `FROM ${fallbackImage}\n` && builds.at(-1)?.build.push === false;

  const noDefinition = await start(on, { request, deps: { define: failing('DEVCONTAINER') } });
  assert.ok(isFallback(noDefinition));
  assert.equal(
    noDefinition.warnings[0],
    `it failed with DEVCONTAINER; using the fallback image ${fallbackImage}`,
  );
  const noClone = await start(on, {
    request,
    deps: { prepareWorkspace: failing('WORKSPACE'), define: failing('DEVCONTAINER') },
  });
  assert.ok(isFallback(noClone));
  assert.ok(
    isFallback(
      await start(on, {
        request: { ...request, remoteRepoBuild: true },
        deps: { cloneForBuild: failing('AUTH') },
      }),
    ),
  );

  const buildWith = async (code: ErrorCode, change: Partial<StartRequest> = {}) => {
    const builds: Definition<string>[] = [];
    const outcome = await start(on, {
      request: { ...request, ...change },
      deps: {
        build: async (one) => {
          builds.push(one);
          if (builds.length === 1) throw new AppError(code, 'no');
          return config;
        },
      },
    });
    return { ...outcome, builds };
  };
  for (const code of ['BUILD_FAILED', 'DOCKERFILE', 'CONTEXT', 'REFERENCE', 'AUTH'] as const)
    assert.ok(isFallback(await buildWith(code)), code);
  for (const code of ['UNSAFE', 'USAGE', 'DISK_FULL', 'PUSH_FAILED', 'ABORTED', 'INTERNAL'] as const)
    assert.equal(((await buildWith(code)).result as AppError).code, code);
  const forbidden = await buildWith('BUILD_FAILED', { exitOnBuildFailure: true });
  assert.equal((forbidden.result as AppError).code, 'BUILD_FAILED');
  assert.ok(
    isFallback(
      await start(on, {
        request: { ...request, exitOnBuildFailure: true },
        deps: { define: failing('DEVCONTAINER') },
      }),
    ),
  );

  for (const [deps, code] of [
    [{ define: failing('DEVCONTAINER') }, 'DEVCONTAINER'],
    [{ prepareWorkspace: failing('WORKSPACE') }, 'WORKSPACE'],
    [{ build: failing('BUILD_FAILED') }, 'BUILD_FAILED'],
  ] as const)
    assert.equal(((await start(on, { deps })).result as AppError).code, code);
});

test('remote repository builds use a clone of their own, which is gone afterwards', { skip }, async (t) => {
  const on = machine(t);
  let open = 0;
  const seen: string[] = [];
  await start(on, {
    request: { remoteRepoBuild: true },
    deps: {
      cloneForBuild: async () => {
        open += 1;
        return { folder: '/clone', close: () => (open -= 1) };
      },
      define: async (folder) => {
        seen.push(folder);
        return { build: { context: folder, dockerfile: 'x' } };
      },
    },
  });
  assert.deepEqual(seen, ['/clone']);
  assert.equal(open, 0);
});

test('nobody waits for entry points of features that serve, which run as the user of the container', {
  skip,
}, async (t) => {
  const on = machine(t);
  const at = (name: string): string => join(on.dir, name);
  const wait = (name: string): string =>
    `while test -d ${on.dir} && ! test -e ${at(name)}; do sleep 0.1; done`;
  const { texts, warnings } = await start(on, {
    devcontainer: {
      containerUser: 'root',
      remoteUser: 'dev',
      entrypoints: [
        { origin: 'ghcr.io/x/down:1', command: 'exit 3' },
        {
          origin: 'ghcr.io/x/up:1',
          command: `id -u > ${at('up')}; ${wait('go')}; > ${at('end')}`,
        },
      ],
      hooks: { postStartCommand: [{ origin, command: `${wait('up')}; echo hook as $(id -u)` }] },
    },
  });
  assert.ok(!existsSync(at('end')));
  const said = texts.filter((text) => / as \d+$/.test(text));
  assert.deepEqual(said, ['postStartCommand: hook as 1234']);
  assert.equal(readFileSync(at('up'), 'utf8'), '0\n');
  assert.deepEqual(warnings, ['entrypoint of ghcr.io/x/down:1 exited with code 3']);
  writeFileSync(at('go'), '');
  await until('it has ended', () => existsSync(at('end')));
});

/** The table of hooks in docs/migrate.md: in which start the Go program runs which, and we. */
function hookTable(): readonly {
  readonly about: string;
  readonly go: string;
  readonly specified: string;
  readonly here: string;
}[] {
  const page = readFileSync(new URL('../../docs/migrate.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split(/^\| start \|.*\n\| --- .*\n/m);
  return table
    .split('\n\n', 1)[0]!
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, about = '', go = '', specified = '', here = '']) => ({ about, go, specified, here }));
}

const ALL = ['onCreate', 'updateContent', 'postCreate', 'postStart'];
const hookNames = (cell: string) => (cell === 'all four' ? ALL : cell.split(', '));

interface Starting {
  readonly pushed?: boolean;
  readonly skip?: boolean;
  readonly commit?: string;
  /** postCreateCommand does. */
  readonly fails?: boolean;
}

/** The starts of one container; the last is the one that a row of the table is about. */
const STARTS: Readonly<Record<string, readonly Starting[]>> = {
  'the first of a container': [{}],
  'again, and it is built again': [{}, {}],
  'again, with `ENVBUILDER_SKIP_REBUILD`': [{}, { skip: true }],
  'again, with `ENVBUILDER_SKIP_REBUILD`, and the clone is at another commit': [
    { commit: 'one' },
    { skip: true, commit: 'two' },
  ],
  'the first of a pushed image': [{ pushed: true }],
  'again, of a pushed image': [{ pushed: true }, { pushed: true }],
  'again, with `ENVBUILDER_SKIP_REBUILD`, after postCreate failed': [{ fails: true }, { skip: true }],
};

/**
 * What the Go program runs, by its `run` and `execLifecycleScripts`: onCreateCommand where its file `built` is missing,
 * and where a rebuild is skipped, which counts as a first start; all others always.
 */
function inTheGoProgram(starts: readonly Starting[]): readonly string[] {
  const first = starts.length === 1 || starts.at(-1)!.skip === true;
  return first ? ALL : ALL.slice(1);
}

/**
 * What the specification has run, by its "Lifecycle scripts": all of them where a container is made, which it is where the
 * image is another one; updateContentCommand where there is new content in the source tree; postStartCommand in each start.
 */
function bySpecification(starts: readonly Starting[]): readonly string[] {
  const [before, now] = [starts.at(-2), starts.at(-1)!];
  const remains = before !== undefined && (now.skip === true || now.pushed === true);
  if (!remains) return ALL;
  return now.commit === before.commit ? ['postStart'] : ['updateContent', 'postStart'];
}

test('which hooks run in which start is as docs/migrate.md says', { skip }, async (t) => {
  const table = hookTable();
  assert.deepEqual(
    table.map(({ about }) => about),
    Object.keys(STARTS),
  );
  for (const { about, go, specified, here } of table) {
    const starts = STARTS[about]!;
    assert.deepEqual(hookNames(specified), bySpecification(starts), about);
    assert.deepEqual(hookNames(go), inTheGoProgram(starts), about);
    const on = machine(t);
    const log = join(on.dir, 'log');
    const fails = join(on.dir, 'fails');
    const hooks = Object.fromEntries(
      ALL.map((name) => {
        const last = name === 'postCreate' ? `test ! -e ${fails}` : 'true';
        return [`${name}Command`, [{ origin, command: `echo ${name} >> ${log}; ${last}` }]];
      }),
    );
    const started = { ...plain, hooks };
    for (const { pushed, skip: skipRebuild = false, commit, fails: doesFail } of starts) {
      writeFileSync(log, '');
      chmodSync(log, 0o666);
      if (pushed) writeFileSync(join(on.ownDir, 'image'), JSON.stringify({ version: 1, config }));
      if (doesFail) writeFileSync(fails, '');
      else rmSync(fails, { force: true });
      const { result } = await start(on, {
        request: { skipRebuild },
        deps: {
          describe: () => started,
          prepareWorkspace: async () => ({
            folder: on.folder,
            state: 'found',
            ...(commit === undefined ? {} : { commit }),
          }),
        },
      });
      assert.ok(!(result instanceof Error), `${about}: ${String(result)}`);
    }
    assert.deepEqual(readFileSync(log, 'utf8').trim().split('\n'), hookNames(here), about);
  }
});

test('the workspace is where the dev container has it, in restarts too', { skip }, async (t) => {
  const on = machine(t);
  writeFileSync(join(on.folder, 'file'), '');
  const place = join(on.dir, 'there/project');
  const log = join(on.dir, 'log');
  writeFileSync(log, '');
  chmodSync(log, 0o666);
  chmodSync(on.dir, 0o777);
  const hooks = { postStartCommand: [{ origin, command: `pwd >> ${log}; ls >> ${log}` }] };
  const devcontainer = { workspaceFolder: place, workspaceLink: place, hooks };
  const first = await start(on, { devcontainer });
  assert.deepEqual(first.warnings, []);
  assert.deepEqual([first.command.cwd, first.command.env.PWD], [place, place]);
  const again = await start(on, { request: { skipRebuild: true } });
  assert.deepEqual([again.builds.length, again.command.cwd], [0, place]);
  assert.equal(readFileSync(log, 'utf8'), `${place}\nfile\n`.repeat(2));
  // Somebody has put something there since.
  rmSync(place);
  mkdirSync(place);
  writeFileSync(join(place, 'own'), '');
  const blocked = await start(on, { request: { skipRebuild: true } });
  assert.equal(blocked.command.cwd, on.folder);
  assert.match(
    blocked.warnings.join(),
    /workspaceFolder is .*project has files of its own; the workspace is in/,
  );
  assert.ok(existsSync(join(place, 'own')));
});
