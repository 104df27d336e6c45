/* Builds as an ordinary user that the test makes, in a user namespace. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';
import { noNamespaces } from './support/user-namespaces.ts';

const environment = useEnvironment(['registry']);
const dir = temporaryDir('rootless');
const name = `envb${process.pid}`;
const context = join(dir, 'context');
const program = join(dir, 'program');

interface User {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

let user: User;

before(async () => {
  await ensurePackages(['uidmap', 'passwd', 'util-linux', 'libcap2-bin', 'attr']);
  chmodSync(dir, 0o755);
  user = await makeUser(name);
  mkdirSync(context);
  writeFileSync(join(context, 'tool.sh'), '#!/bin/sh\nid -u\n', { mode: 0o755 });
  // The checkout may lie where an ordinary user may not go.
  mkdirSync(program);
  for (const part of ['src', 'scripts', 'package.json', 'package-lock.json', 'node_modules', 'envbuilder'])
    cpSync(join(projectRoot, part), join(program, part), { recursive: true, verbatimSymlinks: true });
});

after(async () => {
  await capture('userdel', ['--remove', '--force', name]);
  await capture('userdel', ['--remove', '--force', `${name}b`]);
  await rm(dir, { recursive: true, force: true });
});

async function makeUser(login: string, options: readonly string[] = []): Promise<User> {
  const home = join(dir, login);
  await run('useradd', ['--create-home', '--home-dir', home, ...options, login]);
  const uid = Number(await run('id', ['--user', login]));
  return { name: login, uid, home };
}

function userCommand({ name: login, home }: User, command: readonly string[]): readonly string[] {
  return [
    ...['setpriv', `--reuid=${login}`, `--regid=${login}`, '--init-groups', '--inh-caps=-all', '--'],
    ...['env', '-i', `HOME=${home}`, 'PATH=/usr/local/bin:/usr/bin:/bin', 'NO_COLOR=1', ...command],
  ];
}

function asUser(who: User, args: readonly string[]): Promise<Finished> {
  const [command, ...rest] = userCommand(who, [join(program, 'envbuilder'), ...args]);
  return capture(command!, rest);
}

function asRoot(args: readonly string[]): Promise<Finished> {
  return capture(join(projectRoot, 'envbuilder'), args, { env: { NO_COLOR: '1' } });
}

/** Types, modes, owners, sizes, links and attributes of a tree, without times. */
async function listing(root: string, inside: readonly string[] = []): Promise<string> {
  const script = `cd "$1" && find . -xdev -printf '%P %y %m %U:%G %l\\n' | sort && getfattr -dRhm- . 2>/dev/null | sort`;
  return run('sh', ['-c', script, 'sh', root, ...inside]);
}

test('a build as an ordinary user is that of root: apt-get, users, set-uid files, capabilities, all ids', async (t) => {
  if (await noNamespaces(t, user.uid)) return;
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${environment.services.registry!.host}/debian:bookworm
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends hello sudo \\
 && rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig
RUN useradd --create-home --uid 1234 dev && useradd --uid 65535 last \\
 && install -o dev -g dev -m 4755 /bin/true /usr/local/bin/suid \\
 && cp /bin/true /usr/local/bin/cap && setcap cap_net_raw+ep /usr/local/bin/cap \\
 && touch /made && chown 65535:65535 /made && rm -rf /srv && mkdir -p /opt/a && rm -r /opt && mkdir -p /opt/b
COPY --chown=1234:1234 tool.sh /home/dev/tool
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t --mount=type=bind,source=tool.sh,target=/b \\
    --mount=type=secret,id=s,target=/s cat /b /s > /mounted && touch /c/x /t/y && hello > /hello
RUN --network=none cat /proc/net/dev > /network
USER dev
RUN id -un > ~/name && sh ~/tool > ~/uid && ls -l /dev/null /dev/full > ~/devices && test -r /proc/self/status -a -d /sys/class
`,
  );
  const secret = join(dir, 'secret');
  writeFileSync(secret, 'secret value', { mode: 0o644 });
  const cache = join(user.home, 'cache');
  const common = ['build', context, '--layer-cache-dir', cache, '--secret', `id=s,src=${secret}`];
  const layout = join(user.home, 'layout');
  const built = await asUser(user, [...common, '--output', `type=oci,dest=${layout}`]);
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stderr, /0 from the cache/);
  // Root's build finds every step of it, so keys are the same; what it writes has the owners of the layers.
  const rootfs = join(dir, 'rootfs');
  const roots = await asRoot([...common, '--output', `type=rootfs,dest=${rootfs}`]);
  assert.match(roots.stderr, /6 from the cache, 0 built/, roots.stderr);
  assert.equal(String(roots.stdout), String(built.stdout));
  const facts = await run('find', [
    rootfs,
    '-xdev',
    '(',
    '-name',
    'made',
    '-o',
    '-name',
    'suid',
    '-o',
    '-name',
    'tool',
    ')',
    '-printf',
    '%P %m %U:%G\n',
  ]);
  assert.deepEqual(facts.trim().split('\n').sort(), [
    'home/dev/tool 755 1234:1234',
    'made 644 65535:65535',
    'usr/local/bin/suid 4755 1234:1234',
  ]);
  assert.match(await run('getcap', [join(rootfs, 'usr/local/bin/cap')]), /cap_net_raw=ep/);
  assert.equal(readFileSync(join(rootfs, 'home/dev/uid'), 'utf8'), '1234\n');
  assert.equal(readFileSync(join(rootfs, 'home/dev/name'), 'utf8'), 'dev\n');
  assert.equal(existsSync(join(rootfs, 'srv')), false);
  assert.equal(existsSync(join(rootfs, 'opt/a')), false);
  // And a build of root's own gives the same files.
  const own = join(dir, 'own');
  const alone = await asRoot([
    ...['build', context, '--secret', `id=s,src=${secret}`],
    ...['--output', `type=rootfs,dest=${own}`],
  ]);
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal(await listing(own), await listing(rootfs));
});

test('whoever builds, and on whatever: where a Dockerfile leaves no times to chance, there is one digest', async (t) => {
  if (await noNamespaces(t, user.uid)) return;
  const files = join(dir, 'fixed');
  mkdirSync(files);
  writeFileSync(join(files, 'a'), 'a\n');
  utimesSync(join(files, 'a'), 1_500_000_000, 1_500_000_000);
  // A RUN makes what the image has not of /dev, /proc and /sys, at its time.
  mkdirSync(join(files, 'dev'));
  await run('tar', ['-C', files, '-cf', join(files, 'dev.tar'), '--mtime=@1500000000', 'dev']);
  const at = (...paths: string[]): string => `touch --no-dereference --date=@1500000000 ${paths.join(' ')}`;
  writeFileSync(
    join(files, 'Dockerfile'),
    `FROM ${environment.services.registry!.host}/debian:bookworm AS base
ADD dev.tar /
RUN mkdir -p /opt/x/deep /opt/old && echo 1 >/opt/x/a && ln /opt/x/a /opt/x/b && ln -s a /opt/x/c && echo 2 >/opt/old/a \
 && chown -R 1234:65535 /opt/x && chmod 4751 /opt/x/a && chmod 1777 /opt/x/deep && cp /bin/true /opt/cap \
 && mkfifo /opt/pipe && ${at('/opt/x/*', '/opt/x', '/opt/old/*', '/opt/old', '/opt/cap', '/opt/pipe', '/opt')}
RUN rm -r /opt/old && mkdir /opt/old && rm /etc/debian_version && chmod 600 /etc/issue && chown 7:8 /var/mail \
 && ${at('/opt/old', '/opt', '/etc', '/var/mail', '/var')}
FROM base AS left
RUN --mount=type=bind,source=a,target=/m cat /m /m >/opt/left && ${at('/opt/left', '/opt')}
FROM base AS right
USER 1234
RUN echo >/opt/x/deep/mine && ${at('/opt/x/deep/mine', '/opt/x/deep')}
USER 0
RUN --mount=from=left,source=/opt,target=/left cp /left/left /opt/right && ${at('/opt/right', '/opt')}
COPY --from=left --chown=9:10 /opt/left /copied
COPY a /a
`,
  );
  const build = ['build', files, '--build-arg', 'SOURCE_DATE_EPOCH=1500000000'];
  const overlaid = join(user.home, 'overlaid');
  const parts = ['lower', 'upper', 'work', 'target'].map((part) => join(overlaid, part));
  for (const part of parts) mkdirSync(part, { recursive: true });
  chownSync(parts[1]!, user.uid, user.uid);
  const onOverlay = ({ args, as }: { args: readonly string[]; as: User | undefined }) => {
    const command = [join(program, 'envbuilder'), ...args, '--work-dir', join(parts[3]!, 'work')];
    const mount = `mount -t overlay overlay -o lowerdir=${parts[0]},upperdir=${parts[1]},workdir=${parts[2]} ${parts[3]} && exec "$@"`;
    const inner = as ? userCommand(as, command) : command;
    return capture('unshare', ['--mount', '/bin/sh', '-c', mount, 'sh', ...inner]);
  };
  const expected = await asRoot([...build, '--backend', 'overlay']);
  assert.equal(expected.code, 0, expected.stderr);
  assert.doesNotMatch(expected.stderr, /copies/);
  const refused =
    /steps work on copies of what lies below them: overlay mounts are refused \(EINVAL\); .*--work-dir/;
  for (const [how, { code, stdout, stderr }, said] of [
    ['a user', await asUser(user, build), undefined],
    ['a user, on copies', await asUser(user, [...build, '--backend', 'copies']), undefined],
    ['a user whose working directory is on an overlay', await onOverlay({ args: build, as: user }), refused],
    ['root on copies', await asRoot([...build, '--backend', 'copies']), undefined],
    ['root on an overlay', await onOverlay({ args: build, as: undefined }), refused],
  ] as const) {
    assert.equal(code, 0, `${how}: ${stderr}`);
    assert.equal(String(stdout), String(expected.stdout), how);
    if (said) assert.match(stderr, said, how);
    else assert.doesNotMatch(stderr, /steps work on copies/, how);
  }
  const fixed = [...build, '--reproducible'];
  const [roots, users] = [await asRoot(fixed), await asUser(user, fixed)];
  assert.equal(users.code, 0, users.stderr);
  assert.equal(String(users.stdout), String(roots.stdout));
  assert.notEqual(String(users.stdout), String(expected.stdout));
});

test('without subordinate ids there is one owner, and the log says what to do', async (t) => {
  if (await noNamespaces(t, user.uid)) return;
  const other = await makeUser(`${name}b`);
  for (const file of ['/etc/subuid', '/etc/subgid'])
    writeFileSync(file, readFileSync(file, 'utf8').replace(new RegExp(`^${other.name}:.*\n`, 'm'), ''));
  const files = join(dir, 'one');
  mkdirSync(files);
  writeFileSync(join(files, 'Dockerfile'), 'FROM scratch\nCOPY Dockerfile /a/b\n');
  chownSync(files, other.uid, other.uid);
  const { code, stderr } = await asUser(other, [
    'build',
    files,
    '--output',
    `type=rootfs,dest=${join(other.home, 'out')}`,
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /has no subordinate ids; add them with usermod --add-subuids/);
  const base = `FROM ${environment.services.registry!.host}/debian:bookworm\nRUN true\n`;
  for (const dockerfile of [base, 'FROM scratch\nCOPY --chown=7:8 Dockerfile /a/b\n']) {
    writeFileSync(join(files, 'Dockerfile'), dockerfile);
    const refused = await asUser(other, ['build', files]);
    assert.equal(refused.code, 13, refused.stderr);
    assert.equal(refused.stderr.match(/owners beyond the ids/g)?.length, 1, refused.stderr);
    const help = /package uidmap.*usermod --add-subuids \d+-\d+ --add-subgids \d+-\d+ "\$USER"/;
    assert.match(refused.stderr, help);
  }
});

test('a program that uses the library builds as an ordinary user after runAsRoot, and is told so before', async (t) => {
  if (await noNamespaces(t, user.uid)) return;
  const files = join(dir, 'library');
  mkdirSync(files);
  const image = `${environment.services.registry!.host}/busybox:1`;
  writeFileSync(join(files, 'Dockerfile'), `FROM ${image}\nRUN touch /made && chown 1234:65535 /made\n`);
  const script = join(program, 'build.ts');
  writeFileSync(
    script,
    `import { AppError, build, runAsRoot } from './src/index.ts';
const [context = '.', how = ''] = process.argv.slice(2);
const code = how === 'as root' ? await runAsRoot((text) => console.error(text)) : undefined;
if (code !== undefined) process.exit(code);
try {
  console.log((await build({ context })).summary.stepsBuilt);
} catch (error) {
  if (!(error instanceof AppError)) throw error;
  console.log(error.code, error.message, error.hint);
  process.exitCode = 9;
}
`,
  );
  const node = join(program, `node_modules/node-linux-${process.arch}/bin/node`);
  const build = async (...how: string[]): Promise<Finished> => {
    const [command, ...args] = userCommand(user, [node, script, files, ...how]);
    return capture(command!, args);
  };
  const alone = await build();
  assert.equal(alone.code, 9, alone.stderr);
  assert.match(String(alone.stdout), /^PERMISSION running a step needs root.*runAsRoot\(\) of the library/);
  const inside = await build('as root');
  assert.deepEqual([inside.code, String(inside.stdout)], [0, '1\n'], inside.stderr);
});

test('where there can be no namespace, the error says so and what to do', async () => {
  const files = join(dir, 'refused');
  const root = join(dir, 'chroot');
  for (const each of [files, root]) mkdirSync(each);
  writeFileSync(
    join(files, 'Dockerfile'),
    `FROM ${environment.services.registry!.host}/busybox:1\nRUN true\n`,
  );
  // A chroot is a place where the kernel allows none (user_namespaces(7)).
  const script = `mount --rbind / "$1" && exec chroot "$1" setpriv --reuid=${user.uid} --regid=${user.uid} --clear-groups \
    env HOME=${user.home} NO_COLOR=1 "$2" build "$3"`;
  const inside = [
    'unshare',
    '--mount',
    '/bin/sh',
    '-c',
    script,
    'sh',
    root,
    join(program, 'envbuilder'),
    files,
  ];
  const { code, stderr } = await capture(inside[0]!, inside.slice(1));
  assert.equal(code, 13, stderr);
  assert.match(stderr, /running a step needs root, and this process runs as uid \d+/);
  assert.match(stderr, /the kernel or the container refuses user namespaces: run envbuilder as root/);
});
