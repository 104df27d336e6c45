/* Dev containers that are made and run without an engine: by root, and by an ordinary user that the test makes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, run } from '../scripts/lib/shell.ts';
import { until } from '../src/core/testing.ts';
import { type CliResult, commandLine, envbuilder, projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';
import { tryTerminal } from './support/try-terminal.ts';
import { noNamespaces } from './support/user-namespaces.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('up');
const login = `envu${process.pid}`;
const home = join(dir, 'home');

before(async () => {
  await ensurePackages(['uidmap', 'passwd', 'util-linux']);
  chmodSync(dir, 0o755);
});

after(async () => {
  await eb(['down', '--all']);
  await capture('userdel', ['--remove', '--force', login]);
  await rm(dir, { recursive: true, force: true });
});

const ENV = { HOME: join(dir, 'root'), ENVBUILDER_CONTAINERS_DIR: join(dir, 'containers') };

/** Runs the command line as root. */
function eb(args: readonly string[], options: Parameters<typeof envbuilder>[1] = {}): Promise<CliResult> {
  return envbuilder(args, { ...options, env: { ...ENV, ...options.env } });
}

/** A workspace with a dev container of busybox that has the user dev. */
function workspace(name: string, config: object, above: string = dir): string {
  const folder = join(above, name);
  mkdirSync(join(folder, '.devcontainer'), { recursive: true });
  // Root's containers have the ids of the machine.
  chmodSync(folder, 0o777);
  writeFileSync(
    join(folder, '.devcontainer/Dockerfile'),
    `FROM ${environment.services.registry!.host}/busybox:1
RUN mkdir -p /home/dev /filled && echo image > /filled/file && echo 'dev:x:1234:1234::/home/dev:/bin/sh' >> /etc/passwd \\
 && echo 'dev:x:1234:' >> /etc/group && chown 1234:1234 /home/dev && echo 'export PROFILE=read' > /home/dev/.profile
ENV FROM_IMAGE=image
RUN printf '%s\\n' '#!/bin/sh' 'for last; do url=$to; to=$last; done' 'if [ "$1" = clone ]; then mkdir -p $to && echo "echo dotfiles \`id -un\` $url \\$SECRET >> \\$HOME/hooks" > $to/install.sh; fi' > /usr/bin/git && chmod +x /usr/bin/git
`,
  );
  const build = { dockerfile: 'Dockerfile' };
  writeFileSync(
    join(folder, '.devcontainer/devcontainer.json'),
    JSON.stringify({ build, remoteUser: 'dev', ...config }),
  );
  return folder;
}

/** The object on the last line of standard output. */
function result({ stdout, output }: CliResult): Record<string, unknown> {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  assert.match(last, /^\{.*\}$/, output);
  return JSON.parse(last);
}

async function status(
  env: Readonly<Record<string, string>> = {},
): Promise<readonly Record<string, unknown>[]> {
  const { stdout, output, code } = await eb(['list', '--output=json'], { env });
  assert.equal(code, 0, output);
  return JSON.parse(stdout);
}

/** Processes of the machine whose command line holds a text. */
async function processes(text: string): Promise<readonly string[]> {
  const { stdout } = await capture('pgrep', ['--full', '--', text]);
  return String(stdout).split('\n').filter(Boolean);
}

test('a container is made, joined, started again, entered and ended, as the reference implementation does it', async (t) => {
  const say = (hook: string): string =>
    `echo ${hook} $(id -un) $(pwd) "$PROFILE" "$REMOTE" "$GIVEN" >> $HOME/hooks`;
  const folder = workspace('whole', {
    initializeCommand: 'echo $(pwd) >> initialized',
    containerEnv: { FOLDER: '${containerWorkspaceFolder}', TOKEN: '${localEnv:TOKEN}' },
    remoteEnv: { REMOTE: '${containerEnv:FOLDER}+${localEnv:TOKEN}', FROM_IMAGE: null },
    onCreateCommand: say('onCreate'),
    updateContentCommand: { a: say('updateContent') },
    postCreateCommand: ['sh', '-c', `${say('postCreate')}; echo "$SECRET" > from-container`],
    postStartCommand: say('postStart'),
    postAttachCommand: say('postAttach'),
    capAdd: ['SYS_PTRACE'],
    runArgs: ['--init', '--cpus=2'],
    mounts: [
      'type=volume,source=kept,target=/filled',
      { type: 'tmpfs', target: '/scratch' },
      `source=${dir}/nothing-here,target=/nothing,type=bind`,
    ],
  });
  const mountsBefore = readFileSync('/proc/self/mountinfo', 'utf8').match(/ \S*whole\S* /g);
  const secrets = join(dir, 'secrets.json');
  writeFileSync(secrets, JSON.stringify({ SECRET: 'canary-of-hooks' }));
  const TOKEN = 'canary-of-machine';
  const dotfiles = '--dotfiles-repository=https://me:canary-of-login@host/me/dots';
  const args = ['up', folder, `--secrets-file=${secrets}`, '--remote-env', 'GIVEN=given', dotfiles];
  const first = await eb(args, { env: { TOKEN } });
  assert.equal(first.code, 0, first.output);
  const { containerId, ...rest } = result(first);
  assert.match(String(containerId), /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    outcome: 'success',
    remoteUser: 'dev',
    remoteWorkspaceFolder: '/workspaces/whole',
  });
  assert.match(first.stderr, /--cpus.*has no effect here/);
  assert.match(first.stderr, /nothing is mounted on \/nothing \(mounts\): ENOENT/);
  assert.doesNotMatch(first.stderr, /SYS_PTRACE|--init|initializeCommand .*no effect/);
  const inside = (command: string, ...options: string[]): Promise<CliResult> =>
    eb(['exec', '--workspace-folder', folder, ...options, 'sh', '-c', command]);
  const line = (hook: string): string =>
    `${hook} dev /workspaces/whole read /workspaces/whole+${TOKEN} given`;
  const once = ['onCreate', 'updateContent', 'postCreate'].map(line);
  const each = ['postStart', 'postAttach'].map(line);
  const hooks = async (): Promise<readonly string[]> =>
    (await inside('cat ~/hooks', '--user=dev')).stdout.trim().split('\n');
  const cloned = 'dotfiles dev https://me:canary-of-login@host/me/dots canary-of-hooks';
  once.push(cloned);
  assert.deepEqual(await hooks(), [...once, ...each]);
  assert.doesNotMatch(first.output, /canary-of-/);
  assert.equal(readFileSync(join(folder, 'from-container'), 'utf8'), 'canary-of-hooks\n');

  // What joins it later has no token, and sees what the container was started with.
  const seen = await inside(
    'id -u; pwd; echo "$FOLDER $TOKEN|$REMOTE|$FROM_IMAGE|$GIVEN"; hostname; cat /filled/file; grep CapBnd /proc/self/status; exit 7',
    '-e',
    'GIVEN=now',
  );
  assert.equal(seen.code, 7, seen.output);
  assert.equal(seen.stderr, '');
  const [name] = (await status()).map((one) => String(one.name));
  assert.deepEqual(seen.stdout.split('\n'), [
    ...['1234', '/workspaces/whole', `/workspaces/whole ${TOKEN}|/workspaces/whole+||now`, name, 'image'],
    ...['CapBnd:\t00000000a80c25fb', ''],
  ]);
  const other = await inside('id -u; pwd; cat', '--user', 'root', '--workdir', '/scratch');
  assert.equal(other.stdout, '0\n/scratch\n', other.output);
  assert.equal((await inside('kill -TERM $$')).code, 143);
  assert.equal((await eb(['exec', '--name', name!, 'no-such-program'])).code, 127);
  const piped = await eb(['exec', '--container-id', String(containerId), 'cat'], {
    input: Buffer.from('through\n'),
  });
  assert.equal(piped.stdout, 'through\n', piped.output);

  const atTerminal = ['env', ...Object.entries(ENV).map(([key, value]) => `${key}=${value}`)];
  await tryTerminal(t, [...atTerminal, commandLine, 'exec', '--name', name!], dir);

  // Nothing that is kept tells a secret.
  const kept = await capture('grep', [
    '-rlE',
    'canary-of-',
    ENV.ENVBUILDER_CONTAINERS_DIR,
    '--exclude-dir=rootfs',
  ]);
  assert.equal(String(kept.stdout), '');

  const joined = await eb(args, { env: { TOKEN } });
  assert.deepEqual(result(joined), result(first), joined.output);
  assert.deepEqual(await hooks(), [...once, ...each, line('postAttach')]);
  assert.equal(readFileSync(join(folder, 'initialized'), 'utf8'), `${folder}\n${folder}\n`);

  // As after a restart of the machine: its processes are gone, its files are there.
  const [{ pid } = {}] = await status();
  process.kill(Number(pid), 'SIGKILL');
  await until('it has stopped', async () => (await status())[0]?.status === 'stopped');
  assert.equal((await inside('true')).code, 1);
  const again = await eb(args, { env: { TOKEN } });
  assert.deepEqual(result(again), result(first), again.output);
  assert.deepEqual(await hooks(), [...once, ...each, line('postAttach'), ...each]);
  const configured = await eb(['up', folder, '--skip-post-create', '--include-merged-configuration']);
  assert.equal((result(configured).mergedConfiguration as { remoteUser: string }).remoteUser, 'dev');

  const ended = await eb(['down', folder]);
  assert.deepEqual([ended.code, ended.stdout], [0, `${name}\n`], ended.output);
  assert.deepEqual(await status(), []);
  assert.deepEqual(readFileSync('/proc/self/mountinfo', 'utf8').match(/ \S*whole\S* /g), mountsBefore);
  assert.equal(readFileSync(join(ENV.ENVBUILDER_CONTAINERS_DIR, 'volumes/kept/file'), 'utf8'), 'image\n');
});

test('an up that is killed leaves nothing that down does not end', async () => {
  const mark = join(dir, 'killed-mark');
  const folder = workspace('killed', { onCreateCommand: `touch begun; sleep 3000; : ${mark}` });
  const child = spawn(commandLine, ['up', folder], {
    env: { PATH: process.env.PATH, ...ENV },
    stdio: 'ignore',
    detached: true,
  });
  await until('its hook runs', () => existsSync(join(folder, 'begun')));
  process.kill(-child.pid!, 'SIGKILL');
  await until('the lock is free', async () => (await eb(['down', folder])).code === 0);
  assert.deepEqual(await status(), []);
  assert.deepEqual(await processes(mark), []);
  const nothing = await eb(['exec', '--workspace-folder', folder, 'true']);
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /there is no dev container of .*\n.*envbuilder up makes one/);
});

test('an up that is interrupted ends the container that it has started, and none that ran before', async () => {
  const folder = workspace('interrupted', {
    onCreateCommand: 'test -e again || { touch begun; sleep 3000; }',
    postAttachCommand: 'test ! -e held || { touch attached; sleep 3000; }',
  });
  const interrupted = async (file: string): Promise<number | null> => {
    const child = spawn(commandLine, ['up', folder], {
      env: { PATH: process.env.PATH, ...ENV },
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    await until('its hook runs', () => existsSync(join(folder, file)));
    child.kill('SIGINT');
    return (await ended)[0] as number | null;
  };
  const running = async (): Promise<unknown> => (await status())[0]?.status;

  assert.notEqual(await interrupted('begun'), 0);
  assert.equal(await running(), 'stopped');
  writeFileSync(join(folder, 'again'), '');
  const next = await eb(['up', folder]);
  assert.equal(next.code, 0, next.output);
  assert.equal(await running(), 'running');
  writeFileSync(join(folder, 'held'), '');
  assert.notEqual(await interrupted('attached'), 0);
  assert.equal(await running(), 'running');
  assert.equal((await eb(['down', folder])).code, 0);
});

test('what goes wrong is told as the reference implementation tells it', async () => {
  const empty = join(dir, 'empty');
  mkdirSync(empty);
  const failing = workspace('failing', { remoteUser: 'root', postCreateCommand: 'exit 9' });
  // The shell of its image has nothing to read.
  const ending = workspace('ending', { remoteUser: 'root', overrideCommand: false });
  for (const [args, message, ids] of [
    [['up', empty], /there is no devcontainer.json/, 0],
    [['up', ending], /the container ended before it was ready/, 1],
    [['up', empty, '--id-label', 'a=b'], /--id-label.*--name/, 0],
    [['up', failing, '--expect-existing-container'], /there is no dev container/, 0],
    [['up', failing], /postCreateCommand of .* exited with code 9/, 1],
  ] as const) {
    const answer = await eb(args);
    assert.equal(answer.code, 1, answer.output);
    const { outcome, message: said, description, containerId } = result(answer);
    assert.equal(outcome, 'error');
    assert.match(String(said), message);
    assert.match(String(description), /An error occurred setting up the container/);
    assert.equal(Number(containerId !== undefined), ids);
  }
  for (const folder of [failing, ending]) assert.equal((await eb(['down', folder])).code, 0);
});

test('an ordinary user has a container: both own what they write, and all of it goes again', async (t) => {
  await run('useradd', ['--create-home', '--home-dir', home, login]);
  if (await noNamespaces(t, login)) return;
  const folder = workspace(
    'mine',
    {
      onCreateCommand:
        'id -u > written; stat -c %u . >> written; touch ~/here; sleep 3000 & echo $! > sleeper',
      mounts: ['type=volume,target=/filled'],
    },
    home,
  );
  await run('chown', ['-R', login, home]);
  const program = join(dir, 'program');
  mkdirSync(program);
  for (const part of ['src', 'scripts', 'package.json', 'package-lock.json', 'node_modules', 'envbuilder'])
    cpSync(join(projectRoot, part), join(program, part), { recursive: true, verbatimSymlinks: true });
  const asUser = [
    ...[
      'setpriv',
      `--reuid=${login}`,
      `--regid=${login}`,
      '--init-groups',
      '--inh-caps=-all',
      '--',
      'env',
      '-i',
    ],
    ...[`HOME=${home}`, 'PATH=/usr/local/bin:/usr/bin:/bin', 'NO_COLOR=1', join(program, 'envbuilder')],
  ];
  const own = async (...args: string[]): Promise<CliResult> => {
    const [first = '', ...rest] = asUser;
    const { code, stdout, stderr } = await capture(first, [...rest, ...args]);
    return { code, stdout: String(stdout), stderr, output: `${stdout}\n${stderr}` };
  };
  t.after(() => own('down', '--all'));
  const made = await own('up', folder);
  assert.equal(made.code, 0, made.output);
  assert.equal(result(made).remoteUser, 'dev');
  assert.equal(readFileSync(join(folder, 'written'), 'utf8'), '1234\n1234\n');
  const uid = Number(await run('id', ['--user', login]));
  assert.equal(statSync(join(folder, 'written')).uid, uid);
  const seen = await own(
    'exec',
    '--workspace-folder',
    folder,
    'sh',
    '-c',
    'id -u; ls -ln ~ | grep here; cat /filled/file; exit 3',
  );
  assert.equal(seen.code, 3, seen.output);
  assert.match(seen.stdout, /^1234\n-rw-r--r-- +1 1234 +1234 .* here\nimage\n$/);
  const asRoot = await own(
    'exec',
    '--workspace-folder',
    folder,
    '--user=root',
    'sh',
    '-c',
    'id -u; kill -0 $(cat sleeper) && touch /root-file && stat -c %u /root-file',
  );
  assert.equal(asRoot.stdout, '0\n0\n', asRoot.output);
  // Killed, it leaves nothing there, and root of the container is another id than the user's.
  const endless = `sleep ${400_000 + process.pid}`;
  const script = `trap '' HUP INT TERM; ${endless} & ${endless}; :`;
  const [first = '', ...rest] = [...asUser, 'exec', '--workspace-folder', folder, '--user=root'];
  const killed = spawn(first, [...rest, 'sh', '-c', script], { stdio: 'ignore' });
  await until('it runs', async () => (await processes(`^${endless}`)).length > 0);
  killed.kill('SIGKILL');
  await until('all of it is gone', async () => (await processes(`^${endless}`)).length === 0);
  await tryTerminal(t, [...asUser, 'exec', '--workspace-folder', folder], dir);
  const ended = await own('down', folder);
  assert.equal(ended.code, 0, ended.output);
  const { stdout } = await capture('find', [
    join(home, '.local/state'),
    '-mindepth',
    '3',
    '-not',
    '-name',
    '.*',
  ]);
  assert.equal(String(stdout), '');
});
