import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { type RuntimeImage, runtimeImage } from '../scripts/lib/runtime-image.ts';
import { capture, type Finished, run } from '../scripts/lib/shell.ts';
import { PATIENCE_MS } from '../src/core/testing.ts';
import { compareImages, report } from './support/compare.ts';
import { takesCode } from './support/compiled-code.ts';
import { envbuilder, projectRoot } from './support/envbuilder.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';
import { describeImage, readDockerArchive } from './support/read-image.ts';

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
    { env: docker!.env, timeoutMs: PATIENCE_MS },
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
  assertPrints(await container(['--eval', takesCode(`${OWN}/app`)], { program: 'node' }), /^taken$/);
  assertPrints(await container(['build', '--help']), /^Usage: envbuilder build/);
  assertPrints(await container(['--version'], { program: 'git' }), /^git version 2/);
  assertPrints(await container(['-V'], { program: 'ssh' }), /^OpenSSH/);
  assertPrints(await container(['-c', 'echo $((6 * 7))'], { program: 'sh' }), /^42/);
  const filter = 'echo squeezed | xz | xz -dc && echo squeezed | bzip2 | bzip2 -dc';
  assertPrints(
    await container(['-c', filter], { program: 'sh', docker: [`--env=PATH=${OWN}/bin`] }),
    /^squeezed\nsqueezed\n/,
  );
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
echo '{"type": "module"}' > /package.json
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
  const repository = `http://${http!.host}/git/repo.git`;
  const byName = repository.replace('127.0.0.1', 'localhost');
  assertPrints(await container(['ls-remote', byName], { ...on, program: 'git' }), /refs\/heads\//);
  const ssh = await container(['-o', 'BatchMode=yes', '-p', '1', 'localhost'], { ...on, program: 'ssh' });
  assert.match(ssh.stderr, /Connection refused/);
  // git submodule is a shell script, and the last command converts a file to UTF-8.
  const script = `git clone -q --recurse-submodules ${repository} /clone && sed '' /clone/sub/sub.txt &&
    cd /clone && echo 'wide working-tree-encoding=UTF-16' > .gitattributes &&
    printf '\\376\\377\\0w\\0\\n' > wide && git add wide && git cat-file -p :wide`;
  assertPrints(
    await container(['-c', script], { ...on, program: 'sh', docker: [`--env=PATH=${OWN}/bin`] }),
    /^sub\nw\n/,
  );
});

interface Manifest {
  readonly layers: readonly { readonly digest: string; readonly size: number }[];
}

/** Copies /.envbuilder out of the image. */
async function copyRuntime(to: string): Promise<string> {
  const { command, env } = environment.services.docker!;
  const id = (await run(command, ['create', image!.reference], { env })).trim();
  await run(command, ['cp', '--quiet', `${id}:${OWN}`, to], { env });
  await run(command, ['rm', id], { env });
  return to;
}

async function manifestOf(reference: string): Promise<Manifest> {
  const [name = '', digest] = reference.split('@');
  const [host, ...repository] = name.split('/');
  const accept = 'application/vnd.oci.image.manifest.v1+json';
  const url = `http://${host}/v2/${repository.join('/')}/manifests/${digest}`;
  return (await (await fetch(url, { headers: { accept } })).json()) as Manifest;
}

const PRINT_STATE = `
const { readFileSync, statSync } = require('node:fs');
const [tools, app] = ['tools', 'app'].map((name) => JSON.parse(readFileSync('/.envbuilder/app/layer-' + name + '.json')));
const wrong = [...tools.files, ...app.files].filter(({ path, type, mode, size }) => {
  const stat = statSync('/.envbuilder/' + path);
  return type === 'file' && (stat.size !== size || (stat.mode & 0o7777) !== mode || stat.uid !== 0);
});
console.log(JSON.stringify({ wrong, uid: process.getuid(), cwd: process.cwd(), image: JSON.parse(readFileSync('/.envbuilder/image')) }));
`;

test('a pushed image carries the runtime, which a repository stores once', async (t) => {
  if (skipped(t)) return;
  const { docker, registry, dir } = environment.services;
  const side = join(dir, 'docker/pushed');
  mkdirSync(join(side, 'context'), { recursive: true });
  const runtime = await copyRuntime(join(side, 'runtime'));
  const cache = `--cache-repo=${registry!.host}/runtime/pushed`;
  const build = async (command: string, text: string, args: readonly string[]) => {
    writeFileSync(join(side, 'context/Dockerfile'), `FROM ${registry!.host}/busybox:1\n${text}\n`);
    const metadata = join(side, 'metadata.json');
    const more =
      command === 'build' ? ['--push', '--exit-on-push-failure', `--metadata-file=${metadata}`] : [];
    const result = await envbuilder([command, cache, ...more, ...args, join(side, 'context')]);
    assert.equal(result.code, 0, result.output);
    const pushed =
      command === 'build' ? JSON.parse(readFileSync(metadata, 'utf8')).envbuilder.summary.bytesPushed : 0;
    return { printed: result.stdout.trim(), pushed: pushed as number };
  };
  try {
    const text = 'ENV MINE=1\nUSER user\nWORKDIR /home/user\nCMD ["own"]';
    const first = await build('build', text, [`--runtime-dir=${runtime}`]);
    const probed = await build('probe', text, [`--runtime-dir=${runtime}`]);
    assert.equal(probed.printed, `ENVBUILDER_CACHED_IMAGE=${cache.slice(13)}@${first.printed}`);
    assert.ok(first.pushed > 40e6, `${first.pushed} bytes`);

    const other = await build('build', `${text}\nLABEL other=1`, [`--runtime-dir=${runtime}`]);
    assert.notEqual(other.printed, first.printed);
    assert.ok(other.pushed < 100e3, `the second image sends ${other.pushed} bytes`);
    const plain = await build('build', text, []);
    const manifests = await Promise.all(
      [first, other, plain].map(({ printed }) => manifestOf(`${cache.slice(13)}@${printed}`)),
    );
    const [a, b, c] = manifests.map(({ layers }) => layers.map(({ digest }) => digest));
    assert.deepEqual(a!.slice(-3, -1), b!.slice(-3, -1));
    assert.deepEqual(a!.slice(0, -3), c);

    const reference = `${cache.slice(13)}@${first.printed}`;
    await run(docker!.command, ['pull', '--quiet', reference], { env: docker!.env });
    assertPrints(await container(['--version'], { image: reference }), /^envbuilder \d/);
    const state = await container(['-e', PRINT_STATE], { image: reference, program: 'node' });
    assert.equal(state.code, 0, state.stderr);
    const { image: magic, ...rest } = JSON.parse(state.stdout.toString());
    assert.deepEqual(rest, { wrong: [], uid: 0, cwd: '/' });
    assert.equal(magic.version, 1);
    const { User, WorkingDir, Cmd, Env } = magic.config;
    assert.deepEqual({ User, WorkingDir, Cmd }, { User: 'user', WorkingDir: '/home/user', Cmd: ['own'] });
    assert.ok(Env.includes('MINE=1'));
    const inspected = await run(docker!.command, ['inspect', '--format={{json .Config}}', reference], {
      env: docker!.env,
    });
    const config = JSON.parse(inspected);
    assert.deepEqual(
      [config.Entrypoint, config.Cmd ?? null, config.User],
      [[`${OWN}/bin/envbuilder`], null, '0:0'],
    );
    assert.ok(config.Env.includes(`KANIKO_DIR=${OWN}`) && config.Env.includes('MINE=1'));
  } finally {
    rmSync(side, { recursive: true });
  }
});

test('a container pushes the same image as the probe outside expects', async (t) => {
  if (skipped(t)) return;
  const { registry, dir } = environment.services;
  const side = join(dir, 'docker/inside');
  mkdirSync(join(side, 'context'), { recursive: true });
  try {
    const runtime = await copyRuntime(join(side, 'runtime'));
    writeFileSync(
      join(side, 'context/Dockerfile'),
      `FROM ${registry!.host}/busybox:1\nRUN --network=host echo made > /made\n`,
    );
    const cache = `--cache-repo=${registry!.host}/runtime/inside`;
    const inside = await container(
      [
        'build',
        '/context',
        '--push',
        '--exit-on-push-failure',
        cache,
        `--runtime-dir=${OWN}`,
        '--work-dir=/work',
        '--state-dir=/state',
      ],
      { docker: [`--volume=${side}/context:/context:ro`, '--volume=/work', '--privileged'] },
    );
    assert.equal(inside.code, 0, inside.stderr);
    const probe = await envbuilder(['probe', cache, `--runtime-dir=${runtime}`, join(side, 'context')]);
    assert.equal(probe.code, 0, probe.output);
    assert.equal(probe.stdout.trim().split('@')[1], inside.stdout.toString().trim());
    // As the image is used: no command, Docker's default rights, and the runtime is the one that runs.
    const variables = {
      ENVBUILDER_GET_CACHED_IMAGE: '1',
      ENVBUILDER_CACHE_REPO: cache.slice(13),
      ENVBUILDER_WORKSPACE_FOLDER: '/context',
      ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
    };
    const asked = await container([], {
      docker: [
        `--volume=${side}/context:/context:ro`,
        ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
      ],
    });
    assert.equal(asked.code, 0, asked.stderr);
    assert.equal(asked.stdout.toString(), probe.stdout);
  } finally {
    rmSync(side, { recursive: true });
  }
});

test('docker makes the same files of the same Dockerfile', async (t) => {
  if (skipped(t)) return;
  const { docker, registry, dir } = environment.services;
  const side = join(dir, 'runtime-docker');
  const { command, env } = docker!;
  const unpack = async (name: string, archive: string, args: readonly string[]) => {
    mkdirSync(join(side, name), { recursive: true });
    await run('/bin/sh', ['-c', `${archive} | tar -xf - -C "$0"`, join(side, name), ...args], { env });
    return describeImage(await readDockerArchive(join(side, name)), 0);
  };
  try {
    const build = [
      '--network=host',
      '--provenance=false',
      '--tag=by-docker',
      `--file=${projectRoot}/image/Dockerfile`,
    ];
    const base = `--build-arg=DEBIAN=${registry!.host}/debian:bookworm`;
    await run(command, ['buildx', 'build', '--quiet', ...build, base, projectRoot], { env });
    const theirs = await unpack('docker', '"$1" image save by-docker', [command]);
    const ours = await unpack('ours', 'cat "$1"', [image!.tar]);
    const lines = compareImages(theirs, ours);
    assert.equal(lines.length, 0, `\n${report(lines)}`);
  } finally {
    rmSync(side, { recursive: true, force: true });
  }
});
