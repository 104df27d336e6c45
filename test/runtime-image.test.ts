import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type RuntimeImage, runtimeImage } from '../scripts/lib/runtime-image.ts';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';

let environment: Environment;
let image: RuntimeImage | undefined;

before(async () => {
  environment = await openEnvironment();
  const { docker, registry } = environment.services;
  if (!docker || !registry) return;
  image = await runtimeImage(registry);
  await run(docker.command, ['load', '--quiet', '--input', image.tar], { env: docker.env });
});
after(() => environment.stop());

const OWN = '/.envbuilder';

interface ContainerOptions {
  readonly program?: string;
  readonly docker?: readonly string[];
  readonly image?: string;
}

/** Runs a program of the image in a container with Docker's default rights on the host's network. */
function container(args: readonly string[], options: ContainerOptions = {}): Promise<Finished> {
  const { docker } = environment.services;
  const entry = options.program ? [`--entrypoint=${OWN}/bin/${options.program}`] : [];
  return capture(
    docker!.command,
    [
      'run',
      '--rm',
      '--network=host',
      ...entry,
      ...(options.docker ?? []),
      options.image ?? image!.reference,
      ...args,
    ],
    { env: docker!.env, timeoutMs: 60_000 },
  );
}

function skipped(t: TestContext): boolean {
  const missing = missingService(environment.services, ['docker', 'registry', 'http']);
  if (missing !== undefined) t.skip(missing);
  return missing !== undefined;
}

function assertPrints(result: Finished, pattern: RegExp): void {
  assert.equal(result.code, 0, result.stderr);
  assert.match(`${result.stdout}${result.stderr}`, pattern);
}

test('every program of the image runs in an empty container', async (t) => {
  if (skipped(t)) return;
  assertPrints(await container(['--version']), /^envbuilder \d/);
  assertPrints(await container(['build', '--help']), /^Usage: envbuilder build/);
  assertPrints(await container(['--version'], { program: 'git' }), /^git version 2/);
  assertPrints(await container(['-V'], { program: 'ssh' }), /^OpenSSH/);
  assertPrints(await container(['-c', 'echo $((6 * 7))'], { program: 'sh' }), /^42/);
  const script = 'ssh-keygen -q -t ed25519 -N "" -f /key && ssh-add /key && ssh-add -l';
  const agent = await container(['-a', '/agent', `${OWN}/bin/sh`, '-c', script], {
    program: 'ssh-agent',
    docker: [`--env=PATH=${OWN}/bin`],
  });
  assertPrints(agent, /ED25519/);
});

test('nothing but /.envbuilder is in the image', async (t) => {
  if (skipped(t)) return;
  const script = "require('node:fs').readdirSync('/').join()";
  const { stdout } = await container(['-p', script], { program: 'node' });
  // What Docker puts into every container.
  const names = stdout.toString().trim().split(',');
  assert.deepEqual(
    names.filter((name) => !['.dockerenv', 'dev', 'etc', 'proc', 'sys'].includes(name)),
    ['.envbuilder'],
  );
});

test('variables that are meant for the workspace do not change how we run', async (t) => {
  if (skipped(t)) return;
  const docker = ['--env=NODE_OPTIONS=--no-such-option', '--env=LD_PRELOAD=/nowhere.so', '--env=odd.name=1'];
  assertPrints(await container(['--version'], { docker }), /^envbuilder \d/m);
});

test('a build needs nothing from the container that it runs in', async (t) => {
  if (skipped(t)) return;
  const { registry, dir } = environment.services;
  // The engine sees no other directory of ours.
  const context = join(dir, 'docker/runtime-context');
  mkdirSync(context);
  writeFileSync(join(context, 'Dockerfile'), `FROM ${registry!.host}/busybox:1\nCOPY Dockerfile /copied\n`);
  try {
    const result = await container(
      ['build', '/context', '--output=type=oci,dest=/out', '--work-dir=/work', '--state-dir=/state'],
      { docker: [`--volume=${context}:/context:ro`, '--volume=/work', '--privileged'] },
    );
    assertPrints(result, /sha256:/);
  } finally {
    rmSync(context, { recursive: true });
  }
});

/** Every library of ours exists in the base as well, and is no library; so is what configuration could make us load. */
const HOSTILE = `
for dir in /lib /usr/lib /lib64 /usr/lib64 /lib/$triplet /usr/lib/$triplet /usr/lib/$triplet/gconv; do
  mkdir -p $dir
  for name in /.envbuilder/lib/*.so* libnss_hostile.so.2 UTF-16.so; do echo garbage > $dir/$(basename $name); done
done
mkdir -p /etc/gss/mech.d /etc/gnutls /etc/pkcs11/modules /etc/ssl /usr/lib/ssl /usr/lib/$triplet/ossl-modules
echo /lib/libnss_hostile.so.2 > /etc/ld.so.preload
echo 'hosts: hostile [!UNAVAIL=return]' > /etc/nsswitch.conf
echo 'passwd: hostile' >> /etc/nsswitch.conf
printf 'openssl_conf = x\\n[x]\\nproviders = y\\n[y]\\nhostile = z\\n[z]\\nactivate = 1\\nmodule = /lib/libc.so.6\\n' > /usr/lib/ssl/openssl.cnf
echo 'SYSTEM=NONE' > /etc/gnutls/config
echo 'module: /lib/libc.so.6' > /etc/pkcs11/modules/hostile.module
echo 'hostile 1.2.3 /lib/libc.so.6' > /etc/gss/mech.d/hostile.conf
rm /bin/sh /etc/passwd
`;

test('a base image cannot make our programs load anything of its own', async (t) => {
  if (skipped(t)) return;
  const { docker, registry, http, dir } = environment.services;
  const context = join(dir, 'runtime-hostile');
  mkdirSync(context);
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  writeFileSync(join(context, 'hostile'), HOSTILE);
  writeFileSync(
    join(context, 'Dockerfile'),
    `FROM ${image!.reference} AS own
FROM ${registry!.host}/busybox:1
COPY --from=own /.envbuilder /.envbuilder
RUN --mount=type=bind,target=/context triplet=${triplet} sh -e /context/hostile
ENV LD_LIBRARY_PATH=/lib:/usr/lib
`,
  );
  const args = ['build', '--quiet', '--network=host', '--tag=hostile', context];
  try {
    await run(docker!.command, args, { env: docker!.env });
  } finally {
    rmSync(context, { recursive: true });
  }
  const on = { image: 'hostile' };
  const loaded = `require('node:dns').lookup('localhost', (error, address) => {
    const maps = require('node:fs').readFileSync('/proc/self/maps', 'utf8').matchAll(/ (\\/\\S+)$/gm);
    console.log(address, [...new Set(Array.from(maps, (map) => map[1]))].filter((path) => !path.startsWith('/.envbuilder/')).join());
  })`;
  assertPrints(await container(['-e', loaded], { ...on, program: 'node' }), /^(127\.0\.0\.1|::1) $/m);
  assertPrints(await container(['--version'], { ...on, program: 'envbuilder' }), /^envbuilder \d/);
  const remote = `http://${http!.host}/git/refs.git`.replace('127.0.0.1', 'localhost');
  assertPrints(await container(['ls-remote', remote], { ...on, program: 'git' }), /refs\/heads\//);
  const ssh = await container(['-o', 'BatchMode=yes', '-p', '1', 'localhost'], { ...on, program: 'ssh' });
  assert.match(ssh.stderr, /Connection refused/);
});
