import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { temporaryDir } from '../scripts/lib/cache-dir.ts';
import { dockerCompose } from '../scripts/lib/docker-compose.ts';
import { PROPERTIES } from '../src/devcontainer/properties.ts';
import { readConfiguration } from '../src/devcontainer/read-configuration.ts';
import { resolveAfterBuild } from '../src/devcontainer/resolve.ts';
import { definitionOf, fakeRegistries, testRequest, withWorkspace } from '../src/devcontainer/testing.ts';
import type { DefinitionRequest } from '../src/devcontainer/types.ts';
import type { ContainerConfig } from '../src/oci/types.ts';
import { referenceCli } from './support/reference-cli.ts';

/**
 * What `@devcontainers/cli` makes of the same files is the specification. It asks a `docker` that only knows what a test
 * says of images and containers, so nothing is pulled or run.
 */

const ENV = { SET: 'set', EMPTY: '' };

let dir: string;
let compose: string | undefined;
before(async () => {
  dir = temporaryDir('reference');
  compose = await dockerCompose(dir).catch(() => undefined);
});
after(() => rmSync(dir, { recursive: true, force: true }));

interface Case {
  readonly files: Readonly<Record<string, string | object>>;
  readonly images?: Readonly<Record<string, ContainerConfig>>;
  /** Below the project; the project itself when left out. */
  readonly workspace?: string;
  /** Relative to the workspace. */
  readonly config?: string;
  /** Relative to the workspace. */
  readonly override?: string;
  readonly additionalFeatures?: DefinitionRequest['additionalFeatures'];
  readonly merged?: boolean;
  readonly git?: boolean;
  /** The container that the reference finds. */
  readonly container?: ContainerConfig;
}

let count = 0;

/** A `docker` that knows these images, and the container if there is one. */
function fakeDocker(images: Case['images'] = {}, container?: ContainerConfig): string {
  count += 1;
  const place = join(dir, `docker${count}`);
  mkdirSync(place);
  const inspected = (config: ContainerConfig) =>
    JSON.stringify([
      { Id: 'abc', State: { Status: 'running' }, Config: config, Mounts: [], NetworkSettings: { Ports: {} } },
    ]);
  const cases = Object.entries(images).map(([name, config], i) => {
    writeFileSync(join(place, `image${i}.json`), inspected({ User: '', ...config }));
    return `"${name}") cat '${place}/image${i}.json' ;;`;
  });
  writeFileSync(join(place, 'container.json'), container ? inspected(container) : '[]');
  const script = `#!/bin/sh
case "$1 $2 $3" in
  "inspect --type image") case "$4" in ${cases.join('\n')} *) exit 1 ;; esac ;;
  "inspect --type container") cat '${place}/container.json' ;;
  "compose "*) shift; exec ${compose ?? 'false'} "$@" ;;
  "ps "*) ${container ? 'echo abc' : ':'} ;;
esac
`;
  const command = join(place, 'docker');
  writeFileSync(command, script, { mode: 0o755 });
  return command;
}

type Printed = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What the reference prints for a folder. */
async function theirs(folder: string, one: Case): Promise<Printed> {
  const args = [
    'read-configuration',
    `--workspace-folder=${folder}`,
    `--docker-path=${fakeDocker(one.images, one.container)}`,
    ...(one.merged ? ['--include-merged-configuration'] : []),
    ...(one.config === undefined ? [] : [`--config=${join(folder, one.config)}`]),
    ...(one.override === undefined ? [] : [`--override-config=${join(folder, one.override)}`]),
    ...(one.additionalFeatures === undefined
      ? []
      : [`--additional-features=${JSON.stringify(one.additionalFeatures)}`]),
  ];
  const { code, stdout, output } = await referenceCli(args, { env: { ...ENV, UNSET: undefined }, cwd: dir });
  assert.equal(code, 0, output);
  return JSON.parse(stdout);
}

async function ours(workspaceFolder: string, one: Case): Promise<Printed> {
  const request = {
    ...testRequest(workspaceFolder),
    env: ENV,
    merged: one.merged ?? false,
    features: false,
    ...(one.config === undefined ? {} : { devcontainerJsonPath: join(workspaceFolder, one.config) }),
    ...(one.override === undefined ? {} : { overrideConfig: join(workspaceFolder, one.override) }),
    ...(one.additionalFeatures === undefined ? {} : { additionalFeatures: one.additionalFeatures }),
  };
  const deps = {
    emit: () => {},
    signal: new AbortController().signal,
    registries: fakeRegistries(one.images ?? {}),
  };
  const printed = await readConfiguration(request, deps);
  return JSON.parse(JSON.stringify(printed));
}

async function compare(one: Case): Promise<void> {
  await withWorkspace(one.files, async (project) => {
    if (one.git) execFileSync('git', ['init', '--quiet', project]);
    const folder = join(project, one.workspace ?? '');
    // What the reference says about a registry's authentication is no part of a configuration.
    const { ociAuthDiagnostics: _, ...expected } = await theirs(folder, one);
    assert.deepEqual(await ours(folder, one), expected);
  });
}

const label = (value: unknown): ContainerConfig => ({
  Labels: { 'devcontainer.metadata': JSON.stringify(value) },
});

const FULL = {
  name: 'all',
  forwardPorts: [3000, 'db:5432'],
  portsAttributes: { '3000': { label: 'web' } },
  otherPortsAttributes: { onAutoForward: 'silent' },
  updateRemoteUserUID: false,
  containerEnv: { A: 'own', C: '${localEnv:SET}' },
  containerUser: 'cu',
  mounts: ['source=v,target=/data,type=volume', { type: 'bind', source: '/a', target: '/own' }],
  init: true,
  privileged: false,
  capAdd: ['SYS_PTRACE', 'NET_ADMIN'],
  securityOpt: ['seccomp=unconfined'],
  remoteEnv: { R: '${containerEnv:PATH}', N: null },
  remoteUser: 'ru',
  initializeCommand: 'init',
  onCreateCommand: 'own create',
  updateContentCommand: ['own', 'update'],
  postCreateCommand: { a: 'own a', b: ['own', 'b'] },
  postStartCommand: 'own start',
  postAttachCommand: '',
  waitFor: 'postCreateCommand',
  userEnvProbe: 'loginShell',
  hostRequirements: { cpus: 2, memory: '4gb', gpu: { cores: 4 } },
  customizations: { vscode: { extensions: ['own'] }, other: 1 },
  overrideCommand: false,
  shutdownAction: 'none',
  appPort: [80],
  runArgs: ['--network=host'],
};

const BELOW = [
  {
    id: 'f:1',
    init: false,
    privileged: true,
    capAdd: ['SYS_PTRACE'],
    entrypoint: '/e',
    mounts: ['target=/data,type=tmpfs'],
  },
  {
    containerEnv: { A: 'below', B: '${localEnv:UNSET:d}' },
    remoteEnv: { R: 'below', S: 's' },
    remoteUser: 'below',
    onCreateCommand: 'below create',
    postAttachCommand: 'below attach',
    forwardPorts: ['localhost:3000', 9000],
    portsAttributes: { '3000': { label: 'old' }, '9000': {} },
    hostRequirements: { cpus: 8, storage: '1tb', gpu: 'optional' },
    customizations: { vscode: { extensions: ['below'] } },
    mounts: [{ type: 'volume', source: 'x', target: '/below' }],
    waitFor: 'onCreateCommand',
    updateRemoteUserUID: true,
  },
];

const CASES: Readonly<Record<string, Case>> = {
  variables: {
    files: {
      '.devcontainer/devcontainer.json': `{
        // Comments, and a comma too many.
        "image": "base:\${localEnv:SET}",
        "name": "\${localWorkspaceFolder}|\${localWorkspaceFolderBasename}|\${containerWorkspaceFolder}",
        "remoteEnv": {
          "A": "\${containerWorkspaceFolderBasename} \${env:SET} \${localEnv:UNSET} \${localEnv:UNSET:d:e} \${localEnv:EMPTY:d}",
          "B": "\${containerEnv:X:y} \${devcontainerId} \${other} \${other:a} \${} \${ localEnv:SET } $SET \${localEnv:SET",
        },
        "postCreateCommand": { "\${localEnv:SET}": ["\${localEnv:SET}"] },
      }`,
    },
  },
  'a file in the workspace itself': { files: { '.devcontainer.json': { image: 'x' } } },
  'both places': {
    files: { '.devcontainer.json': { image: 'a' }, '.devcontainer/devcontainer.json': { image: 'b' } },
  },
  'a named file': {
    files: { '.devcontainer/x/devcontainer.json': { image: 'x', name: '${localWorkspaceFolder}' } },
    config: '.devcontainer/x/devcontainer.json',
  },
  'a workspace in a git repository': {
    files: { 'a/b/.devcontainer.json': { image: 'x', name: '${containerWorkspaceFolder}' } },
    workspace: 'a/b',
    git: true,
  },
  'a folder and a mount': {
    files: {
      '.devcontainer.json': {
        image: 'x',
        workspaceFolder: '/w/${localWorkspaceFolderBasename}',
        workspaceMount: 'type=bind,source=${localWorkspaceFolder},target=/w',
        name: '${containerWorkspaceFolderBasename}',
      },
    },
  },
  'a folder alone': { files: { '.devcontainer.json': { image: 'x', workspaceFolder: '/w' } } },
  'properties of old': {
    files: {
      '.devcontainer.json': {
        image: 'x',
        extensions: ['b'],
        settings: { a: 1, b: 2 },
        devPort: 3,
        customizations: { vscode: { extensions: ['a'], settings: { b: 3 } } },
      },
    },
  },
  'a full configuration alone': {
    files: { '.devcontainer.json': { image: 'base', ...FULL } },
    images: { base: {} },
    merged: true,
  },
  'a label with a list below a full configuration': {
    files: { '.devcontainer.json': { image: 'base', ...FULL } },
    images: { base: label(BELOW) },
    merged: true,
  },
  'a label with one object': {
    files: { '.devcontainer.json': { image: 'base' } },
    images: { base: label(BELOW[1]) },
    merged: true,
  },
  'a label that is not JSON': {
    files: { '.devcontainer.json': { image: 'base', remoteUser: 'u' } },
    images: { base: { Labels: { 'devcontainer.metadata': '[{' } } },
    merged: true,
  },
  'variables in a label': {
    files: { '.devcontainer.json': { image: 'base' } },
    images: { base: label([{ remoteEnv: { A: '${localEnv:SET}${containerWorkspaceFolder}' } }]) },
    merged: true,
  },
  'the base image of a Dockerfile, through stages and arguments': {
    files: {
      '.devcontainer/devcontainer.json': {
        build: { dockerfile: '../Dockerfile', target: 'dev', args: { V: '1' } },
        ...FULL,
      },
      Dockerfile: 'ARG V=0\nFROM base:$V AS first\nFROM first AS dev\nRUN x\nFROM other\n',
    },
    images: { 'base:1': label(BELOW) },
    merged: true,
  },
  'a file in place of devcontainer.json': {
    files: {
      '.devcontainer/devcontainer.json': { image: 'other', remoteUser: 'u', postCreateCommand: 'make' },
      '.devcontainer/Dockerfile': 'FROM base\n',
      'away/own.json': {
        build: { dockerfile: 'Dockerfile' },
        containerEnv: { A: '${localWorkspaceFolder}' },
      },
    },
    override: 'away/own.json',
    images: { base: label(BELOW) },
    merged: true,
  },
  'a file in place of a devcontainer.json that is named': {
    files: { 'a/devcontainer.json': { image: 'other' }, 'own.json': { image: 'base', name: 'own' } },
    config: 'a/devcontainer.json',
    override: 'own.json',
    images: { base: label(BELOW) },
    merged: true,
  },
  'a file in place of a devcontainer.json that is not there': {
    files: { 'own.json': { image: 'base', name: 'own' } },
    override: 'own.json',
    images: { base: label(BELOW) },
    merged: true,
  },
  'the deprecated names of Dockerfile and context': {
    files: {
      '.devcontainer/devcontainer.json': { dockerFile: 'Dockerfile', context: '..', remoteUser: 'u' },
      '.devcontainer/Dockerfile': 'FROM base\n',
    },
    images: { base: label(BELOW) },
    merged: true,
  },
};

for (const [name, one] of Object.entries(CASES)) test(`as the reference: ${name}`, () => compare(one));

test('as the reference: features besides those of the file', async () => {
  const feature = (id: string) => ({
    [`.devcontainer/${id}/devcontainer-feature.json`]: {
      id,
      version: '1.0.0',
      options: { o: { type: 'string', default: 'd' } },
      onCreateCommand: id,
    },
    [`.devcontainer/${id}/install.sh`]: '',
  });
  const config = { image: 'base', features: { './b': { o: 'file' } }, onCreateCommand: 'own' };
  for (const features of [config.features, undefined]) {
    const one: Case = {
      files: {
        ...{ ...feature('a'), ...feature('b'), ...feature('c') },
        '.devcontainer/devcontainer.json': { ...config, ...(features ? {} : { features: undefined }) },
      },
      additionalFeatures: { './c': true, './b': { o: 'added' }, './a': {} },
      images: { base: label(BELOW) },
      merged: true,
    };
    await withWorkspace(one.files, async (folder) => {
      const [expected, found] = [await theirs(folder, one), await ours(folder, one)].map(
        ({ configuration, mergedConfiguration, featuresConfiguration }) => ({
          configuration,
          mergedConfiguration,
          values: (featuresConfiguration!.featureSets as { features: { id: string; value: unknown }[] }[])
            .flatMap((set) => set.features)
            .map(({ id, value }) => [id, value]),
        }),
      );
      assert.deepEqual(found, expected);
      assert.equal(found!.values.length, 3);
    });
  }
});

test('as the reference: a string where a list is meant', async () => {
  const lists = ['capAdd', 'securityOpt', 'mounts'];
  const value = 'type=tmpfs,target=/x';
  const labelled = Object.fromEntries(lists.map((name) => [name, 'target=/y,type=tmpfs']));
  const one = {
    files: {
      '.devcontainer.json': { image: 'base', ...Object.fromEntries(lists.map((name) => [name, value])) },
    },
    images: { base: label([labelled]) },
    merged: true,
  };
  await withWorkspace(one.files, async (folder) => {
    const printed = [await theirs(folder, one), await ours(folder, one)];
    const [expected, found] = printed.map(({ mergedConfiguration = {} }) =>
      lists.map((name) => mergedConfiguration[name]),
    );
    assert.deepEqual(found, expected);
    assert.ok(
      found!.every((list) => Array.isArray(list) && list.length === 2),
      JSON.stringify(found),
    );
  });
});

test('as the reference: null in place of any property', async () => {
  const names = PROPERTIES.filter(({ scenario }) => ['all', 'image or Dockerfile'].includes(scenario)).map(
    ({ name }) => name,
  );
  const one = {
    files: {
      '.devcontainer.json': { image: 'base', ...Object.fromEntries(names.map((name) => [name, null])) },
    },
    images: { base: label(BELOW) },
    merged: true,
  };
  await withWorkspace(one.files, async (folder) => {
    const printed = [await theirs(folder, one), await ours(folder, one)];
    // What nobody has said is null there and left out here.
    const [expected, found] = printed.map(({ mergedConfiguration = {} }) =>
      Object.fromEntries(Object.entries(mergedConfiguration).filter(([, value]) => value !== null)),
    );
    assert.deepEqual(found, expected);
  });
});

test('as the reference: a Compose service', async (t) => {
  if (compose === undefined) return t.skip('docker-compose cannot be had');
  await compare({
    files: {
      '.devcontainer/devcontainer.json': {
        dockerComposeFile: ['a.yml', 'b.yml'],
        service: 'app',
        workspaceFolder: '/w/${localWorkspaceFolderBasename}',
        ...FULL,
        shutdownAction: 'stopCompose',
      },
      '.devcontainer/a.yml': 'services:\n  app: { image: other }\n  db: { image: db }\n',
      '.devcontainer/b.yml': 'services:\n  app: { image: "base:${SET}" }\n',
    },
    images: { 'base:set': label(BELOW) },
    merged: true,
  });
  await compare({
    files: {
      '.devcontainer.json': { dockerComposeFile: 'docker-compose.yml', service: 'app' },
      'docker-compose.yml': 'services: { app: { build: { context: sub, target: t } } }\n',
      'sub/Dockerfile': 'FROM base AS t\nFROM x\n',
    },
    images: { base: label(BELOW) },
    merged: true,
  });
});

test('as the reference: entries of any kind merged', async () => {
  const name = fc.constantFrom('A', 'B');
  const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
  const word = fc.constantFrom('x', 'y', '', '${localEnv:SET}');
  const hook = fc.oneof(word, fc.array(word, { maxLength: 2 }), fc.dictionary(name, word));
  const size = fc.constantFrom('1', '2kb', '3mb', '1gb', '1tb');
  // Not false: the reference prints that or nothing, by what stands in other entries.
  const gpu = fc.oneof(
    fc.constantFrom(true, 'optional' as const),
    fc.record({ cores: fc.nat(9), memory: size }, { requiredKeys: [] }),
  );
  const entry = fc.record(
    {
      init: fc.boolean(),
      privileged: fc.boolean(),
      capAdd: fc.array(name),
      securityOpt: fc.array(name),
      mounts: fc.array(
        fc.oneof(
          fc.constantFrom('source=a,target=/a', 'src=b,dst=/a,type=volume', 'type=tmpfs,destination=/b'),
          fc.record({ type: fc.constant('volume'), source: name, target: fc.constantFrom('/a', '/b') }),
        ),
        { maxLength: 3 },
      ),
      containerEnv: fc.dictionary(name, word),
      remoteEnv: fc.dictionary(name, fc.option(word)),
      remoteUser: word,
      containerUser: word,
      onCreateCommand: hook,
      postStartCommand: hook,
      waitFor: fc.constantFrom('onCreateCommand', 'postStartCommand'),
      userEnvProbe: fc.constantFrom('none', 'loginShell'),
      overrideCommand: fc.boolean(),
      updateRemoteUserUID: fc.boolean(),
      forwardPorts: fc.array(fc.oneof(fc.nat(3), fc.constantFrom('localhost:1', 'db:1')), { maxLength: 4 }),
      portsAttributes: fc.dictionary(fc.constantFrom('1', '2'), fc.record({ label: word })),
      otherPortsAttributes: fc.record({ label: word }),
      hostRequirements: fc.record(
        { cpus: fc.nat(4), memory: size, storage: size, gpu },
        { requiredKeys: [] },
      ),
      customizations: fc.dictionary(name, fc.nat(3)),
    },
    { requiredKeys: [] },
  );
  const samples = fc.sample(fc.tuple(fc.array(entry, { maxLength: 3 }), optional(entry)), {
    numRuns: 10,
    seed: 3,
  });
  for (const [below, own] of samples) {
    // With no entry at all the reference prints requirements of minus infinity.
    const config = { image: 'base', shutdownAction: 'none', ...own };
    const images = { base: below.length === 0 ? {} : label(below) };
    await compare({ files: { '.devcontainer.json': config }, images, merged: true });
  }
});

test('as the reference: a container that is there', async () => {
  const config = {
    image: 'base',
    remoteEnv: {
      ID: '${devcontainerId}',
      P: '${containerEnv:PATH}',
      D: '${containerEnv:NONE:d}',
      E: '${containerEnv:NONE}',
    },
    postCreateCommand: 'echo ${containerEnv:PATH} ${devcontainerId}',
  };
  const files = { '.devcontainer/devcontainer.json': config };
  await withWorkspace(files, async (folder) => {
    const Labels = {
      'devcontainer.local_folder': folder,
      'devcontainer.config_file': join(folder, '.devcontainer/devcontainer.json'),
    };
    const container = { Env: ['PATH=/bin', 'X=y'], User: 'u', Labels };
    const { mergedConfiguration } = await theirs(folder, { files, merged: true, container });
    const definition = await definitionOf({
      files,
      images: { base: {} },
      request: { workspaceFolder: folder, env: ENV },
    });
    const found = resolveAfterBuild(
      definition.devcontainer,
      { config: { ...container, Labels: Object.fromEntries(definition.build.labels) } },
      ENV,
      () => {},
    );
    assert.deepEqual(found.remoteEnv, mergedConfiguration!.remoteEnv);
    assert.deepEqual(
      found.hooks.postCreateCommand.map(({ command }) => command),
      mergedConfiguration!.postCreateCommands,
    );
  });
});
