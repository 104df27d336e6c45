import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Machine } from '../sys/machine.ts';
import { loadDefinition } from './load.ts';
import { resolveAfterBuild } from './resolve.ts';
import { definitionOf, fakeRegistries, testRequest, withWorkspace } from './testing.ts';

const IMAGES = { base: { Env: ['PATH=/bin', 'LANG=C'], User: 'dev' } };

test('an image becomes a Dockerfile of one line, with a label that holds the metadata', async () => {
  const { build, devcontainer, warnings } = await definitionOf({
    files: {
      '.devcontainer/devcontainer.json': {
        image: 'base',
        postCreateCommand: 'make',
        containerEnv: { PATH: `\${containerEnv:PATH}:/opt` },
        remoteEnv: { WHERE: `\${containerEnv:PATH}` },
      },
    },
    images: IMAGES,
  });
  assert.equal(build.dockerfileText, 'FROM base\n');
  assert.deepEqual(JSON.parse(build.labels.get('devcontainer.metadata')!), [
    {
      containerEnv: { PATH: `\${containerEnv:PATH}:/opt` },
      remoteEnv: { WHERE: `\${containerEnv:PATH}` },
      postCreateCommand: 'make',
    },
  ]);
  assert.deepEqual(devcontainer.containerEnv, { PATH: '/bin:/opt' });
  assert.deepEqual(devcontainer.remoteEnv, { WHERE: '/bin:/opt' });
  assert.equal(devcontainer.containerUser, 'dev');
  assert.equal(devcontainer.remoteUser, 'dev');
  assert.deepEqual(devcontainer.hooks.postCreateCommand, [
    { origin: devcontainer.configFile, command: 'make' },
  ]);
  assert.deepEqual(warnings, []);
});

test('a Dockerfile is built in its own folder unless a context is named', async () => {
  const files = {
    '.devcontainer/devcontainer.json': { build: { dockerfile: '../docker/Dockerfile', args: { V: 'x' } } },
    'docker/Dockerfile': 'ARG V\nFROM base\nARG V\nENV GIVEN=$V\nUSER $V\nCOPY . /src\n',
  };
  const { build, devcontainer, folder } = await definitionOf({ files, images: IMAGES });
  assert.equal(build.dockerfile, `${folder}/docker/Dockerfile`);
  assert.equal(build.context, `${folder}/docker`);
  assert.deepEqual([...build.buildArgs], [['V', 'x']]);
  assert.equal(build.dockerfileText, undefined);
  assert.equal(devcontainer.containerUser, 'x');

  const old = await definitionOf({
    files: {
      ...files,
      '.devcontainer/devcontainer.json': { dockerFile: '../docker/Dockerfile', context: '..' },
    },
    images: IMAGES,
  });
  assert.match(old.build.context, /\/project$/);
  assert.equal(old.devcontainer.containerUser, 'root');
});

test('what the image is made of in the end decides variables and users', async () => {
  const { devcontainer, build } = await definitionOf({
    files: { '.devcontainer.json': { image: 'base', remoteEnv: { A: `\${containerEnv:MADE:none}` } } },
    images: IMAGES,
  });
  assert.deepEqual(devcontainer.remoteEnv, { A: 'none' });
  const image = {
    os: 'linux',
    architecture: 'amd64',
    rootfs: { type: 'layers' as const, diff_ids: [] },
    config: { Env: ['MADE=it'], User: '1000:100', Labels: Object.fromEntries(build.labels) },
  };
  const resolved = resolveAfterBuild(devcontainer, image, {}, () => {});
  assert.deepEqual(resolved.remoteEnv, { A: 'it' });
  assert.equal(resolved.containerUser, '1000:100');
  assert.equal(resolved.remoteUser, '1000');
});

test('a file that names nothing to build is built from the default image, if there is one', async () => {
  const files = { '.devcontainer.json': { postCreateCommand: 'x' } };
  const { build, devcontainer } = await definitionOf({
    files,
    images: { 'registry/default:1': { User: 'dev' } },
    request: { defaultImage: 'registry/default:1' },
  });
  assert.match(build.dockerfileText ?? '', /^FROM registry\/default:1$/m);
  assert.equal(devcontainer.containerUser, 'dev');
  assert.equal(devcontainer.hooks.postCreateCommand.length, 1);
  await assert.rejects(definitionOf({ files }), { code: 'DEVCONTAINER' });
});

test('what says what is built is chosen as the reference does', async () => {
  const files = {
    D: 'FROM base\nUSER file\n',
    'c.yml': 'services: { app: { image: base, user: compose } }\n',
  };
  const built = (config: object) =>
    definitionOf({ files: { ...files, '.devcontainer.json': config }, images: IMAGES });
  const all = { image: 'base', build: { dockerfile: 'D' }, dockerComposeFile: 'c.yml', service: 'app' };
  const first = await built(all);
  assert.equal(first.devcontainer.containerUser, 'file');
  assert.deepEqual(first.warnings, [
    'build.dockerfile and dockerComposeFile and image exclude each other; build.dockerfile is taken',
  ]);
  const { build: _, ...rest } = all;
  assert.equal((await built(rest)).devcontainer.containerUser, 'compose');
  const args = { image: 'base', build: { args: { A: '1' } } };
  assert.deepEqual((await built(args)).warnings, []);
  for (const config of [{}, { build: {} }, { build: { target: 'x' } }]) {
    await assert.rejects(built(config), { code: 'DEVCONTAINER', message: /does not say what to build$/ });
  }
  await assert.rejects(built({ build: { dockerfile: 'none' } }), {
    code: 'DEVCONTAINER',
    message: /there is no Dockerfile at .*\/none$/,
  });
  await assert.rejects(built({ image: 'a b' }), {
    code: 'DEVCONTAINER',
    message: '"a b" is not the name of an image',
  });
});

test('the command line wins over the file', async () => {
  const { build } = await definitionOf({
    files: {
      '.devcontainer.json': { build: { dockerfile: 'D', target: 'a', args: { V: '1', W: '1' } } },
      D: 'FROM base AS a\nFROM base AS b\n',
    },
    images: IMAGES,
    request: { target: 'b', buildArgs: new Map([['V', '2']]) },
  });
  assert.equal(build.target, 'b');
  assert.deepEqual(Object.fromEntries(build.buildArgs), { V: '2', W: '1' });
});

test('in a start the workspace is where it is, and the file can choose a folder in it', async () => {
  const where = async (config: object) => {
    const { devcontainer, folder, warnings } = await definitionOf({
      files: {
        '.devcontainer.json': { image: 'base', remoteEnv: { W: '${containerWorkspaceFolder}' }, ...config },
      },
      images: IMAGES,
      request: { inContainer: true, workspaceFixed: true },
    });
    assert.equal(devcontainer.remoteEnv.W, devcontainer.workspaceFolder);
    return { place: devcontainer.workspaceFolder?.replace(folder, ''), warnings };
  };
  assert.deepEqual(await where({}), { place: '', warnings: [] });
  assert.deepEqual(await where({ workspaceFolder: '${localWorkspaceFolder}/sub/' }), {
    place: '/sub',
    warnings: [],
  });
  const other = await where({ workspaceFolder: '/workspace' });
  assert.equal(other.place, '');
  assert.match(
    other.warnings[0]!,
    /^workspaceFolder \(\.devcontainer\.json\) has no effect here: the workspace is in /,
  );
});

test('what a running container cannot be given is warned about once, with where it is asked for', async () => {
  const config = {
    image: 'base',
    privileged: true,
    init: true,
    capAdd: ['A', 'B'],
    securityOpt: ['c'],
    mounts: ['target=/m,type=tmpfs'],
    initializeCommand: 'x',
    appPort: 80,
    runArgs: ['--gpus=all'],
  };
  const label = JSON.stringify([
    { id: 'f:1', privileged: true },
    { id: 'f:1', privileged: true },
  ]);
  const workspace = {
    files: { '.devcontainer.json': config },
    images: { base: { Labels: { 'devcontainer.metadata': label } } },
  };
  const { warnings } = await definitionOf({ ...workspace, request: { inContainer: true } });
  assert.deepEqual(
    warnings.map((text) => text.replace(/ has no effect here: .*$/, '')),
    [
      'privileged (f:1)',
      'privileged (.devcontainer.json)',
      'capAdd: A (.devcontainer.json)',
      'capAdd: B (.devcontainer.json)',
      'securityOpt: c (.devcontainer.json)',
      'init (.devcontainer.json)',
      'mounts: /m (.devcontainer.json)',
      'initializeCommand (.devcontainer.json)',
      'appPort (.devcontainer.json)',
      'runArgs: --gpus (.devcontainer.json)',
    ],
  );
  assert.deepEqual((await definitionOf(workspace)).warnings, []);
});

/** Each with what a container has to have been given so that nothing is said, and what is said otherwise. */
const GRANTABLE: Readonly<
  Record<
    string,
    { readonly config: object; readonly machine: Partial<Machine>; readonly said: readonly string[] }
  >
> = {
  privileged: {
    config: { privileged: true },
    machine: { hasCapability: (name) => name === 'ALL' },
    said: [
      'privileged (.devcontainer.json) has no effect here: rights come from whoever starts the container',
    ],
  },
  'a capability': {
    config: { capAdd: ['SYS_PTRACE'], runArgs: ['--cap-add=SYS_PTRACE'] },
    machine: { hasCapability: (name) => name === 'SYS_PTRACE' },
    said: ['capAdd: SYS_PTRACE', 'runArgs: --cap-add SYS_PTRACE'],
  },
  'a security option': {
    config: { securityOpt: ['seccomp=unconfined'], runArgs: ['--security-opt', 'seccomp=unconfined'] },
    machine: { hasSecurityOption: (option) => option === 'seccomp=unconfined' },
    said: ['securityOpt: seccomp=unconfined', 'runArgs: --security-opt seccomp=unconfined'],
  },
  init: {
    config: { init: true, runArgs: ['--init'] },
    machine: { hasInit: () => true },
    said: ['init', 'runArgs: --init'],
  },
  mounts: {
    config: {
      mounts: ['source=x,target=/m,type=volume', { type: 'bind', source: '/y', target: '/m' }],
      runArgs: ['-v', 'x:/m:ro', '--mount=type=tmpfs,dst=/m', '--tmpfs', '/m:size=1m', '--volume=/m'],
    },
    machine: { isMounted: (path) => path === '/m' },
    said: ['mounts: /m', 'runArgs: --volume /m', 'runArgs: --mount /m', 'runArgs: --tmpfs /m'],
  },
  'a mount at a variable': {
    config: { mounts: ['target=/home/${localEnv:WHO}/.cache,type=tmpfs'] },
    machine: { isMounted: (path) => path === '/home/me/.cache' },
    said: ['mounts: /home/me/.cache'],
  },
  'the mount of the workspace': {
    config: { workspaceMount: 'type=bind,source=${localWorkspaceFolder},target=/elsewhere' },
    machine: { isMounted: (path) => path === '/elsewhere' },
    said: ['workspaceMount'],
  },
  processors: {
    config: { hostRequirements: { cpus: 4 } },
    machine: { cpus: () => 4 },
    said: ['hostRequirements.cpus (.devcontainer.json) is not met: 4 are asked for, and there are 0'],
  },
  memory: {
    config: { hostRequirements: { memory: '8gb' } },
    machine: { memory: () => 7.5 * 2 ** 30 },
    said: ['hostRequirements.memory (.devcontainer.json) is not met: 8gb is asked for, and there is 0mb'],
  },
  storage: {
    config: { hostRequirements: { storage: '32gb' } },
    machine: { storage: () => 32 * 2 ** 30 },
    said: [
      'hostRequirements.storage (.devcontainer.json) is not met: 32gb is asked for, and there is 0mb free',
    ],
  },
  'a GPU': {
    config: { hostRequirements: { gpu: { cores: 1 } }, runArgs: ['--gpus=all'] },
    machine: { hasGpu: () => true },
    said: [
      'hostRequirements.gpu (.devcontainer.json) is not met: a GPU is asked for, and there is none',
      'runArgs: --gpus (.devcontainer.json) has no effect here: it is for whoever starts the container',
    ],
  },
};

for (const [name, { config, machine, said }] of Object.entries(GRANTABLE)) {
  test(`${name}: named where the container has not got it, and only there`, async () => {
    const workspace = {
      files: { '.devcontainer.json': { image: 'base', ...config } },
      images: { base: {} },
      request: { inContainer: true, env: { WHO: 'me' } },
    };
    const { warnings } = await definitionOf(workspace);
    assert.deepEqual(
      warnings.map((text, i) => text.slice(0, said[i]?.length)),
      said,
    );
    assert.deepEqual((await definitionOf({ ...workspace, machine })).warnings, []);
  });
}

test('of a machine that is too small both amounts are named', async () => {
  const { warnings } = await definitionOf({
    files: {
      '.devcontainer.json': {
        image: 'base',
        hostRequirements: { cpus: 4, memory: '8gb', storage: '1tb', gpu: 'optional' },
      },
    },
    images: { base: { Labels: { 'devcontainer.metadata': '[{"hostRequirements":{"cpus":2}}]' } } },
    request: { inContainer: true },
    machine: { cpus: () => 2.5, memory: () => 512 * 2 ** 20, storage: () => 20.25 * 2 ** 30 },
  });
  assert.deepEqual(warnings, [
    'hostRequirements.cpus (.devcontainer.json) is not met: 4 are asked for, and there are 2.5',
    'hostRequirements.memory (.devcontainer.json) is not met: 8gb is asked for, and there is 512mb',
    'hostRequirements.storage (.devcontainer.json) is not met: 1tb is asked for, and there is 20.2gb free',
  ]);
});

test('secrets that are declared and not there are named', async () => {
  const secrets = { IN_ENV: {}, IN_BUILD: { description: 'x' }, EMPTY: {}, NOWHERE: {} };
  const { warnings } = await definitionOf({
    files: { '.devcontainer.json': { image: 'base', secrets } },
    images: { base: {} },
    request: { inContainer: true, env: { IN_ENV: 'x', EMPTY: '' }, secrets: ['IN_BUILD'] },
  });
  assert.deepEqual(
    warnings.map((text) => text.slice(0, text.indexOf(' ('))),
    ['secrets: EMPTY', 'secrets: NOWHERE'],
  );
});

test('a label of the Dockerfile itself counts, and goes into the image with the file', async () => {
  const { build, devcontainer } = await definitionOf({
    files: {
      '.devcontainer.json': { build: { dockerfile: 'D' }, remoteUser: 'own' },
      D: 'FROM base\nLABEL devcontainer.metadata=\'{"remoteUser":"d","userEnvProbe":"none"}\'\n',
    },
    images: IMAGES,
  });
  assert.equal(devcontainer.userEnvProbe, 'none');
  assert.deepEqual(JSON.parse(build.labels.get('devcontainer.metadata')!), [
    { remoteUser: 'd', userEnvProbe: 'none' },
    { remoteUser: 'own' },
  ]);
});

test('a workspace without a devcontainer.json is an error that says what to do', async () => {
  await assert.rejects(definitionOf({ files: { Dockerfile: 'FROM base\n' } }), {
    code: 'DEVCONTAINER',
    hint: /add \.devcontainer\/devcontainer\.json, or name a Dockerfile/,
  });
});

test('an image in a file in the place of one that is not there needs no folder of that', () =>
  withWorkspace({ 'over.json': { image: 'base' } }, async (folder) => {
    const { build } = await loadDefinition(
      { ...testRequest(folder), overrideConfig: join(folder, 'over.json') },
      { emit: () => {}, signal: new AbortController().signal, registries: fakeRegistries(IMAGES) },
    );
    assert.equal(build.context, folder);
  }));
