/* Dev containers in an engine: made by us, they are what the reference implementation makes, and it takes them for its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { until } from '../src/core/testing.ts';
import { createDockerEngine } from '../src/up/docker/engine.ts';
import { withOwnIds } from '../src/up/docker/image.ts';
import { type CliResult, commandLine, envbuilder } from './support/envbuilder.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { dockerForReference, referenceCli } from './support/reference-cli.ts';

const environment = useEnvironment(['registry', 'docker']);
const state = temporaryDir('up-docker');
const places: string[] = [];

after(async () => {
  for (const place of places) await rm(place, { recursive: true, force: true });
  await rm(state, { recursive: true, force: true });
});

const missing = (): string | undefined => missingService(environment.services, ['registry', 'docker']);

function docker(...args: readonly string[]): Promise<string> {
  const { command, env } = environment.services.docker!;
  return run(command, args, { env });
}

/** A workspace that the engine can mount, and the docker command for it. */
function workspace(name: string, config: object, files: Readonly<Record<string, string>>) {
  const folder = join(environment.services.dir, `docker/up-${process.pid}-${name}`);
  places.push(folder);
  const image = `${environment.services.registry!.host}/busybox:1`;
  for (const [file, text] of Object.entries({ ...files, 'devcontainer.json': JSON.stringify(config) })) {
    const path = join(folder, '.devcontainer', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text.replaceAll('@IMAGE@', image));
  }
  chmodSync(folder, 0o777);
  return { folder, command: dockerForReference(environment.services.docker!, folder) };
}

const hook = (name: string): string =>
  `echo ${name} $(id -un) $PWD "\${REMOTE-none} \${BOTH-none} $SECRET" >> log`;
const HOOKS = {
  onCreateCommand: hook('onCreate'),
  updateContentCommand: { one: hook('updateContent') },
  postCreateCommand: ['sh', '-c', hook('postCreate')],
  postStartCommand: hook('postStart'),
  postAttachCommand: hook('postAttach'),
};
/** A git that only clones, and always the same. */
const GIT = `printf '%s\\n' '#!/bin/sh' 'for last; do url=$to; to=$last; done' 'if [ "$1" = clone ]; then mkdir -p $to && echo "echo $url >> ~/installed" > $to/install.sh; fi' > /usr/bin/git && chmod +x /usr/bin/git`;
const USER =
  'FROM @IMAGE@\nRUN mkdir -p /home/dev && echo "dev:x:1234:1234::/home/dev:/bin/sh" >> /etc/passwd && echo "dev:x:1234:" >> /etc/group && chown 1234:1234 /home/dev\n';

/** Values that somebody on the way could take for more than text. */
const ODD = {
  QUOTES: `H"e"'''llo M:;a/t?h&^iKa%#@!\`\`ni,sk_a-`,
  BRACES: '[$${severity}] [${walltime:%Y}]: $${message}',
  SPACES: '    a lot  .   ',
  DOLLAR: 'value $dollar sign \\back \\$slash',
  COMMAND: `bash -c 'echo -n "Hello"'`,
  EMPTY: '',
};

interface Row {
  readonly config: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Of the first line of each hook. */
  readonly seen: string;
  /** Cloned and installed in the home of dev. */
  readonly dotfiles?: string;
  /** Commands, and a second start, are tried as well. */
  readonly thorough?: true;
}

const ROWS: Readonly<Record<string, Row>> = {
  'an image; rights, ports, mounts and variables': {
    config: {
      image: '@IMAGE@',
      containerEnv: { ...ODD, BOTH: '${localEnv:NOWHERE:fallback}', HOME_OF_MACHINE: '${localEnv:CANARY}' },
      remoteEnv: {
        REMOTE: '${containerEnv:BOTH}+remote',
        JSON: '{\n  "fo$o": "ba\'r"\n}',
        UNSET: '${containerEnv:NONE:d}',
      },
      initializeCommand: { a: 'touch init-1', b: ['touch', '${localWorkspaceFolder}/init 2'] },
      capAdd: ['SYS_PTRACE'],
      securityOpt: ['seccomp=unconfined'],
      init: true,
      appPort: [8123, '127.0.0.1:8124:80'],
      runArgs: ['--label=own=label', '--shm-size=96m', '-e', 'FROM_ARGS=1'],
      mounts: [
        'type=volume,source=up-docker-${devcontainerId},target=/named',
        { type: 'bind', source: '${localWorkspaceFolder}/.devcontainer', target: '/bound' },
        'type=tmpfs,target=/scratch',
        { type: 'volume', target: '/without-a-name' },
      ],
    },
    seen: 'root /workspaces/@NAME@ fallback+remote fallback',
    thorough: true,
  },
  'a Dockerfile and features; users, entry points, privilege': {
    config: {
      build: {
        dockerfile: 'Dockerfile',
        target: 'wanted',
        args: { GIVEN: 'x "y" $z' },
        options: ['--label', 'of-options=yes'],
      },
      containerEnv: ODD,
      features: { './a': 'latest', './b': { greeting: 'how dy $HOME' } },
      containerUser: 'root',
      remoteUser: 'dev',
      remoteEnv: { REMOTE: 'r', BOTH: 'b' },
      workspaceFolder: '/work space/in',
      workspaceMount: 'type=bind,source=${localWorkspaceFolder},target=/work space/in',
    },
    dotfiles: 'https://host/me/dots',
    files: {
      Dockerfile: `${USER.replace('\n', ' AS wanted\nARG GIVEN\nENV FROM_ARGUMENT=$GIVEN\n')}RUN ${GIT}\nFROM wanted\nRUN exit 1\n`,
      ...Object.fromEntries(
        ['a', 'b'].flatMap((id) => [
          [
            `${id}/devcontainer-feature.json`,
            JSON.stringify({
              ...{ id, version: '1.0.0', privileged: id === 'b', capAdd: ['NET_ADMIN'] },
              ...{
                entrypoint: `/usr/bin/entry-${id}`,
                containerEnv: { [`FEATURE_${id.toUpperCase()}`]: id },
              },
              options: {
                version: { type: 'string', default: '1' },
                greeting: { type: 'string', default: 'hey' },
              },
              mounts: [{ type: 'volume', source: `up-docker-${id}`, target: `/of-${id}` }],
            }),
          ],
          [
            `${id}/install.sh`,
            `#!/bin/sh\nenv | grep -v PWD | sort > /options-${id}\nmkdir -p /usr/bin\nprintf '#!/bin/sh\\necho ${id} >> /entered\\n' > /usr/bin/entry-${id}\nchmod +x /usr/bin/entry-${id}\n`,
          ],
        ]),
      ),
    },
    seen: 'dev /work space/in r b',
  },
  'labels in place of the folder; a command of its own': {
    config: { build: { dockerfile: 'Dockerfile' }, overrideCommand: false },
    files: { Dockerfile: `${USER}USER dev\nENTRYPOINT ["/bin/sh", "-c"]\nCMD ["exec tail -f /dev/null"]\n` },
    args: ['--id-label=up-docker=one', '--id-label=number=@PID@'],
    seen: 'dev /workspaces/@NAME@ none none',
  },
};

/** What of a container an editor or a program in it could notice. */
async function shape(id: string) {
  const [{ Config, HostConfig, Mounts }] = JSON.parse(await docker('inspect', id));
  const { 'dev.envbuilder.container': own, 'devcontainer.metadata': metadata, ...Labels } = Config.Labels;
  const { User, Env, Entrypoint, WorkingDir, ExposedPorts } = Config;
  const { Binds, CapAdd, Privileged, SecurityOpt, Init, PortBindings, NetworkMode, ShmSize, Tmpfs } =
    HostConfig;
  return {
    ...{ Labels, User, Env: Env.sort(), Entrypoint, WorkingDir, ExposedPorts },
    ...{
      Binds,
      CapAdd: CapAdd?.sort(),
      Privileged,
      SecurityOpt,
      Init,
      PortBindings,
      NetworkMode,
      ShmSize,
      Tmpfs,
    },
    wanted: HostConfig.Mounts,
    Mounts: Mounts.map(({ Type, Name, Source, Destination, RW }: Record<string, unknown>) => ({
      ...{ Type, Destination, RW },
      Name: String(Name).replace(/^[0-9a-f]{64}$/, 'none'),
      Source: Type === 'bind' ? Source : '',
    })).sort((a: { Destination: string }, b: { Destination: string }) =>
      a.Destination < b.Destination ? -1 : 1,
    ),
    metadata: JSON.parse(metadata ?? '[]'),
    options: await docker('exec', '--user=0', id, 'sh', '-c', 'cat /options-* 2>/dev/null; :'),
  };
}

/** Runs our command line with the engine. */
function own(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const [verb = '', ...more] = args;
  return envbuilder([verb, '--docker', ...more], {
    env: {
      ...{ ...environment.services.docker!.env, DOCKER_BUILDKIT: '1', HOME: state },
      ENVBUILDER_CONTAINERS_DIR: join(state, 'containers'),
      PATH: `${dirname(environment.services.docker!.command)}:${process.env.PATH}`,
      ...env,
    },
  });
}

/** The object on the last line of standard output. */
function result({ stdout, output }: CliResult): Record<string, unknown> {
  const last = /^\{.*"outcome".*\}$/m.exec(stdout)?.[0];
  assert.ok(last, output);
  // What its client of registries has met is its own.
  const { ociAuthDiagnostics: _, ...known } = JSON.parse(last);
  return known;
}

for (const [at, [name, row]] of Object.entries(ROWS).entries())
  test(`as the reference in an engine: ${name}`, async (t) => {
    if (missing() !== undefined) return t.skip(missing());
    const { folder, command } = workspace(
      `row${at}`,
      { ...HOOKS, updateRemoteUserUID: false, ...row.config },
      row.files ?? {},
    );
    const secrets = join(state, `secrets-${at}.json`);
    writeFileSync(secrets, JSON.stringify({ SECRET: 'canary-of-hooks' }));
    const args = [`--docker-path=${command}`, ...(row.args ?? [])].map((arg) =>
      arg.replace('@PID@', `${process.pid}`),
    );
    const { env } = environment.services.docker!;
    const users = { ...env, DOCKER_BUILDKIT: '1', CANARY: 'canary' };
    const theirs = (verb: string, ...more: string[]): Promise<CliResult> =>
      referenceCli([verb, `--workspace-folder=${folder}`, ...args, ...more], { env: users });
    const ours = (verb: string, ...more: string[]): Promise<CliResult> =>
      own([verb, `--workspace-folder=${folder}`, ...args, ...more], { CANARY: 'canary' });
    const takeLog = (): readonly string[] => {
      const file = join(folder, 'log');
      const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
      rmSync(file, { force: true });
      return lines;
    };
    const up = [`--secrets-file=${secrets}`];
    // The script of the reference is none for the shell of busybox.
    const withDotfiles = [
      ...up,
      ...(row.dotfiles === undefined ? [] : [`--dotfiles-repository=${row.dotfiles}`]),
    ];
    const installed = async (id: unknown): Promise<string> =>
      row.dotfiles === undefined ? '' : docker('exec', String(id), 'cat', '/home/dev/installed');

    const reference = result(await theirs('up', ...up));
    const expected = await shape(String(reference.containerId));
    const said = takeLog();
    const seen = row.seen.replace('@NAME@', folder.split('/').at(-1)!);
    const line = (one: string): string => `${one} ${seen} canary-of-hooks`;
    const once = ['onCreate', 'updateContent', 'postCreate'].map(line);
    const [start, attach] = [line('postStart'), line('postAttach')];
    assert.deepEqual(said, [...once, start, attach]);
    const dotfiles = row.dotfiles === undefined ? '' : `${row.dotfiles}\n`;
    if (row.thorough) {
      // Ours finds what the reference has made.
      const entered = await ours('exec', 'sh', '-c', 'echo "$BOTH $REMOTE"; exit 5');
      assert.deepEqual([entered.code, entered.stdout], [5, 'fallback fallback+remote\n'], entered.output);
      assert.deepEqual(result(await ours('up', ...up)), reference);
      assert.deepEqual(takeLog(), [attach]);
    }
    await docker('rm', '--force', '--volumes', String(reference.containerId));

    const first = await ours('up', ...withDotfiles);
    assert.equal(first.code, 0, first.output);
    const made = result(first);
    assert.deepEqual({ ...made, containerId: '' }, { ...reference, containerId: '' });
    assert.deepEqual(takeLog(), [...once, start, attach], first.output);
    assert.deepEqual(await shape(String(made.containerId)), expected);
    for (const file of 'initializeCommand' in row.config ? ['init-1', 'init 2'] : [])
      assert.ok(existsSync(join(folder, file)), file);
    assert.doesNotMatch(
      first.output + JSON.stringify(await docker('inspect', String(made.containerId))),
      /canary-of-hooks/,
    );
    const listed = JSON.parse((await own(['list', '--output=json'])).stdout) as Record<string, unknown>[];
    assert.equal(listed.find(({ id }) => id === made.containerId)?.status, 'running');
    if ('a/install.sh' in (row.files ?? {}))
      assert.equal(await docker('exec', String(made.containerId), 'cat', '/entered'), 'a\nb\n');

    // The reference finds what we have made, and runs no hook again.
    assert.deepEqual(result(await theirs('up', ...up)), made);
    assert.equal(await installed(made.containerId), dotfiles);
    assert.deepEqual(takeLog(), [attach]);
    if (row.thorough) {
      const [a, b] = [await theirs('exec', 'id', '-un'), await ours('exec', 'id', '-un')];
      assert.deepEqual([b.stdout, b.code], [a.stdout, a.code], `${a.output}${b.output}`);

      await docker('stop', '--time=0', String(made.containerId));
      const stopped = await ours('exec', 'true');
      assert.deepEqual([stopped.code, /does not run/.test(stopped.stderr)], [1, true], stopped.output);
      assert.deepEqual(result(await ours('up', ...up)), made);
      assert.deepEqual(takeLog(), [start, attach]);
    }

    const ended = await ours('down');
    assert.equal(ended.code, 0, ended.output);
    const gone = await capture(environment.services.docker!.command, ['inspect', String(made.containerId)], {
      env,
    });
    assert.notEqual(gone.code, 0);
  });

test('an up that is interrupted ends its hook in a container that ran already', async (t) => {
  if (missing() !== undefined) return t.skip(missing());
  const hook = `{ trap "" TERM; touch begun; sleep 223511; sleep 223511; }`;
  const { folder } = workspace(
    'interrupted',
    { image: '@IMAGE@', runArgs: ['--network=host'], postAttachCommand: `test ! -e held || ${hook}` },
    {},
  );
  const { env, command } = environment.services.docker!;
  const made = await own(['up', folder]);
  assert.equal(made.code, 0, made.output);
  const id = String(result(made).containerId);
  t.after(() => docker('rm', '--force', id));
  writeFileSync(join(folder, 'held'), '');
  const child = spawn(commandLine, ['up', '--docker', folder], {
    env: {
      ...{ ...process.env, ...env, HOME: state },
      ENVBUILDER_CONTAINERS_DIR: join(state, 'containers'),
      PATH: `${dirname(command)}:${process.env.PATH}`,
    },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  await until('its hook runs', () => existsSync(join(folder, 'begun')));
  assert.match(await docker('exec', id, 'ps'), /sleep 223511/);
  child.kill('SIGINT');
  assert.notEqual((await ended)[0], 0);
  assert.doesNotMatch(await docker('exec', id, 'ps'), /223511/);
  assert.equal((await docker('inspect', '--format={{.State.Running}}', id)).trim(), 'true');
});

test('what an engine cannot do is said, and down --all leaves what others have made', async (t) => {
  if (missing() !== undefined) return t.skip(missing());
  const compose = workspace(
    'compose',
    { dockerComposeFile: 'compose.yml', service: 'app' },
    { 'compose.yml': 'services: { app: { image: "@IMAGE@" } }\n' },
  );
  const plain = workspace(
    'plain',
    { image: '@IMAGE@', runArgs: ['--network=host'], postStartCommand: 'exit 4' },
    {},
  );
  const fails = async (message: RegExp, args: readonly string[], env = {}): Promise<void> => {
    const answer = await own(args, env);
    assert.equal(answer.code, 1, answer.output);
    if (args[0] === 'up') assert.equal(result(answer).outcome, 'error');
    assert.match(answer.output, message);
  };
  await fails(/names a Compose project/, ['up', compose.folder]);
  await fails(/--id-label is "a"/, ['up', plain.folder, '--id-label=a']);
  await fails(/there is no such program|cannot be run/, ['up', plain.folder, '--docker-path=/no/docker']);
  await fails(/daemon/i, ['up', plain.folder], { DOCKER_HOST: 'unix:///no/socket' });
  await fails(/Docker has no dev container/, ['up', plain.folder, '--expect-existing-container']);
  await fails(/Docker has no dev container of/, ['exec', `--workspace-folder=${plain.folder}`, 'true']);
  await fails(/postStartCommand of .* exited with code 4/, ['up', plain.folder]);
  const other = (
    await docker(
      'create',
      `--label=devcontainer.local_folder=/elsewhere`,
      `${environment.services.registry!.host}/busybox:1`,
    )
  ).trim();
  t.after(() => docker('rm', '--force', other));
  const ended = await own(['down', '--all']);
  assert.equal(ended.code, 0, ended.output);
  const { stdout } = await own(['list', '--output=json']);
  const left = JSON.parse(stdout) as { id: string; folder: string }[];
  assert.deepEqual(
    left.filter(({ folder }) => [plain.folder, '/elsewhere'].includes(folder)).map(({ id }) => id),
    [other],
  );
});

test('the remoteUser of an image gets the ids of the user, unless somebody has them', async (t) => {
  if (missing() !== undefined) return t.skip(missing());
  const { command, env } = environment.services.docker!;
  const engine = createDockerEngine(command, { PATH: process.env.PATH!, ...env });
  const { folder } = workspace(
    'ids',
    {},
    {
      Dockerfile: `${USER}RUN echo "taken:x:77:78::/:/bin/sh" >> /etc/passwd && echo "taken:x:78:" >> /etc/group\n`,
    },
  );
  const base = `up-docker-ids-${process.pid}`;
  await docker('build', '--quiet', '--network=host', `--tag=${base}`, join(folder, '.devcontainer'));
  const deps = { docker: engine, emit: () => {}, signal: t.signal };
  for (const [uid, gid, remoteUser, expected] of [
    [4321, 4322, 'dev', '4321:4322 4321:4322'],
    [4321, 78, 'dev', '4321:1234 4321:1234'],
    [77, 4322, 'dev', '1234:1234 1234:1234'],
    [4321, 4322, 'nobody-there', '1234:1234 1234:1234'],
  ] as const) {
    const { image } = await withOwnIds({ image: base, config: {} }, { remoteUser, ids: { uid, gid } }, deps);
    const script = 'echo $(id -u dev):$(id -g dev) $(stat -c %u:%g /home/dev)';
    assert.equal(
      (await docker('run', '--rm', '--network=host', image, 'sh', '-c', script)).trim(),
      expected,
      `${uid}:${gid}`,
    );
  }
});
