/* Builds as an ordinary user that the test makes, in a user namespace. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { ensurePackages } from '../scripts/lib/debian.ts';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { projectRoot } from './support/envbuilder.ts';
import { useEnvironment } from './support/environment.ts';

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

function asUser({ name: login, home }: User, args: readonly string[]): Promise<Finished> {
  const env = ['env', '-i', `HOME=${home}`, 'PATH=/usr/local/bin:/usr/bin:/bin', 'NO_COLOR=1'];
  return capture('setpriv', [
    ...[`--reuid=${login}`, `--regid=${login}`, '--init-groups', '--inh-caps=-all', '--'],
    ...[...env, join(program, 'envbuilder'), ...args],
  ]);
}

/** Why this machine has no user namespace for ordinary users. */
async function noNamespaces(t: TestContext): Promise<boolean> {
  const { code } = await capture('setpriv', [
    `--reuid=${user.uid}`,
    '--clear-groups',
    'unshare',
    '--user',
    'true',
  ]);
  if (code !== 0) t.skip('this machine allows ordinary users no user namespaces');
  return code !== 0;
}

/** Types, modes, owners, sizes, links and attributes of a tree, without times. */
async function listing(root: string, inside: readonly string[] = []): Promise<string> {
  const script = `cd "$1" && find . -xdev -printf '%P %y %m %U:%G %l\\n' | sort && getfattr -dRhm- . 2>/dev/null | sort`;
  return run('sh', ['-c', script, 'sh', root, ...inside]);
}

test('a build as an ordinary user is that of root: apt-get, users, set-uid files, capabilities, all ids', async (t) => {
  if (await noNamespaces(t)) return;
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
  const roots = await capture(
    join(projectRoot, 'envbuilder'),
    [...common, '--output', `type=rootfs,dest=${rootfs}`],
    {
      env: { NO_COLOR: '1' },
    },
  );
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
  const alone = await capture(
    join(projectRoot, 'envbuilder'),
    ['build', context, '--secret', `id=s,src=${secret}`, '--output', `type=rootfs,dest=${own}`],
    { env: { NO_COLOR: '1' } },
  );
  assert.equal(alone.code, 0, alone.stderr);
  assert.equal(await listing(own), await listing(rootfs));
});

test('without subordinate ids there is one owner, and the log says what to do', async (t) => {
  if (await noNamespaces(t)) return;
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
  writeFileSync(
    join(files, 'Dockerfile'),
    `FROM ${environment.services.registry!.host}/debian:bookworm\nRUN true\n`,
  );
  const refused = await asUser(other, ['build', files]);
  assert.equal(refused.code, 13, refused.stderr);
  assert.match(refused.stderr, /subordinate ids/);
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
