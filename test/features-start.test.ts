import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ContainerHost, openContainerHost } from './support/container.ts';
import { type Environment, missingService, openEnvironment } from './support/environment.ts';
import { featureSources, writeFiles } from './support/feature-fixtures.ts';
import { referenceCli } from './support/reference-cli.ts';

let environment: Environment;
let host: ContainerHost;
let missing: string | undefined;
let features: string;

before(async () => {
  environment = await openEnvironment(['registry', 'docker']);
  const { services } = environment;
  missing = missingService(services, ['registry', 'docker']);
  if (missing !== undefined) return;
  const registry = `localhost:${services.registry!.host.split(':')[1]}`;
  features = `${registry}/started/features`;
  const source = writeFiles(join(services.dir, 'features-start'), featureSources(features));
  const { code, output } = await referenceCli([
    'features',
    'publish',
    `--registry=${registry}`,
    '--namespace=started/features',
    source,
  ]);
  assert.equal(code, 0, output);
  host = await openContainerHost(services);
});
after(async () => {
  await host?.close();
  rmSync(join(environment.services.dir, 'features-start'), { recursive: true, force: true });
  await environment.stop();
});

test('a plain container installs features in place, from the cache the second time', async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const { services } = environment;
  const config = {
    image: `${services.registry!.host}/busybox:1`,
    remoteUser: 'user',
    features: { [`${features}/tool`]: { version: '3' }, './own': {} },
    postStartCommand: 'echo own hook',
  };
  const files = {
    '.devcontainer/devcontainer.json': JSON.stringify(config),
    '.devcontainer/own/devcontainer-feature.json': JSON.stringify({
      id: 'own',
      version: '1.0.0',
      name: 'Own',
    }),
    '.devcontainer/own/install.sh': '#!/bin/sh\necho "own of $_REMOTE_USER at $_REMOTE_USER_HOME" >/own\n',
  };
  const env = {
    ENVBUILDER_CACHE_REPO: `${services.registry!.host}/started/cache`,
    ENVBUILDER_PUSH_IMAGE: 'true',
    ENVBUILDER_PROGRESS: 'plain',
    ENVBUILDER_INIT_SCRIPT:
      'id -un; cat /own /opt/record/tool-said; hello; ls -A /tmp /dev | grep dev-container',
  };
  const expected = 'user\nown of user at /home/user\nhi\nhi\n';
  const first = await host.run({ files, env });
  assert.equal(first.stdout.toString(), expected, first.stderr);
  assert.match(first.stderr, /done in .*: 5 steps, 0 from the cache, 5 built/);
  for (const line of [
    'entrypoint: entered',
    'onCreateCommand: created by hello',
    'postStartCommand: own hook',
  ])
    assert.ok(first.stderr.split('\n').includes(line), `${line} in:\n${first.stderr}`);
  for (const warned of ['capAdd: SYS_PTRACE', 'mounts: /hello', 'privileged', 'init'])
    assert.match(first.stderr, new RegExp(`^warning: ${warned} \\(.*has no effect here`, 'm'));

  const probe = await host.run({ files, env: { ...env, ENVBUILDER_GET_CACHED_IMAGE: 'true' } });
  assert.match(probe.stdout.toString(), /^ENVBUILDER_CACHED_IMAGE=.*@sha256:[0-9a-f]{64}$/m, probe.stderr);
  const granted = ['--cap-add=SYS_PTRACE', '--tmpfs=/hello'];
  const second = await host.run({ files, env, docker: granted });
  assert.equal(second.stdout.toString(), expected, second.stderr);
  assert.doesNotMatch(second.stderr, /capAdd: |mounts: \/hello/, 'nothing is said of what is there');
  assert.match(second.stderr, /^warning: privileged \(/m);
  assert.match(second.stderr, /done in .*: 5 steps, 5 from the cache, 0 built/);
});

test('the workspace is where workspaceFolder says, in a restart too, unless the operator says otherwise', async (t) => {
  if (missing !== undefined) return t.skip(missing);
  const there = '$' + '{containerWorkspaceFolder}';
  const workspace = host.directory({
    '.devcontainer.json': JSON.stringify({
      image: `${environment.services.registry!.host}/busybox:1`,
      workspaceFolder: '/work/space',
      workspaceMount: 'source=$' + '{localWorkspaceFolder},target=/work/space,type=bind',
      postStartCommand: `echo "hook in $(pwd) of ${there}: $(ls)"`,
    }),
    file: '',
  });
  const options = {
    docker: [`--volume=${workspace}:/workspaces/empty`],
    env: {
      ENVBUILDER_WORKSPACE_FOLDER: '',
      ENVBUILDER_PROGRESS: 'plain',
      ENVBUILDER_INIT_SCRIPT: 'echo "init in $(pwd): $(ls)"',
    },
  };
  const container = await host.start(options);
  assert.equal(await container.end(), 0, await container.logs());
  assert.equal((await container.docker('start')).code, 0);
  assert.equal(await container.end(), 0);
  const log = await container.logs();
  const lines = log.split('\n');
  const expected = [
    'postStartCommand: hook in /work/space of /work/space: file',
    'init in /work/space: file',
  ];
  for (const line of expected) assert.equal(lines.filter((one) => one === line).length, 2, log);
  assert.doesNotMatch(log, /has no effect here/);

  const fixed = await host.run({
    ...options,
    env: { ...options.env, ENVBUILDER_WORKSPACE_FOLDER: '/workspaces/empty' },
  });
  assert.match(fixed.stdout.toString(), /^init in \/workspaces\/empty: file$/m, fixed.stderr);
  assert.match(
    fixed.stderr,
    /workspaceFolder .* has no effect here: the workspace is in \/workspaces\/empty/,
  );
});
