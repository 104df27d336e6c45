import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { run } from '../scripts/lib/shell.ts';
import { type ContainerOptions, useContainers, WORKSPACE } from './support/container.ts';
import { makeRepository } from './support/repository.ts';

const containers = useContainers();

function skipped(t: TestContext): boolean {
  if (containers.missing !== undefined) t.skip(containers.missing);
  return containers.missing !== undefined;
}

/** A user, and the label of a base image that names them. */
const dockerfile = (): string => `FROM ${containers.services.registry!.host}/busybox:1
RUN printf 'root:x:0:0:root:/root:/bin/sh\\ndev:x:1000:1000::/home/dev:/bin/sh\\n' > /etc/passwd && \\
  printf 'root:x:0:\\ndev:x:1000:\\n' > /etc/group && mkdir -p /home/dev /root
ENV PATH=/usr/bin:/bin
LABEL devcontainer.metadata='[{"remoteUser":"dev"}]'
`;

const repository = (): string => `${containers.services.registry!.host}/drop-in-${process.pid}`;

test('a workspace that root has cloned, and a base image whose label names another user', async (t) => {
  if (skipped(t)) return;
  const workspace = containers.directory({
    '.git/HEAD': 'ref: refs/heads/main\n',
    'src/file': '',
    '.devcontainer/devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile' } }),
    '.devcontainer/Dockerfile': dockerfile(),
  });
  const options: ContainerOptions = {
    docker: [`--volume=${workspace}:${WORKSPACE}`],
    env: {
      ENVBUILDER_CACHE_REPO: repository(),
      ENVBUILDER_INIT_SCRIPT: 'id -un && echo > src/new && stat -c %U . .git src/file && rm src/new',
    },
  };
  const first = await containers.run(options);
  assert.equal(first.code, 0, first.stderr);
  assert.equal(first.stdout.toString(), 'dev\ndev\ndev\ndev\n');
  const given = /gave the workspace \S+ to dev, who could not write it/;
  assert.match(first.stderr, given);
  const second = await containers.run(options);
  assert.equal(second.stdout.toString(), first.stdout.toString(), second.stderr);
  assert.doesNotMatch(second.stderr, given);
});

test('a file of the platform, and the image that a start pushes: its names, its user, its environment', async (t) => {
  if (skipped(t)) return;
  const { docker, registry } = containers.services;
  const variable = (name: string): string => `\${${name}}`;
  const platform = containers.directory({
    'devcontainer.json': JSON.stringify({
      build: { dockerfile: 'Dockerfile' },
      containerUser: 'dev',
      remoteUser: 'root',
      containerEnv: { OWN: 'every process', HELD: variable('localEnv:HELD') },
      remoteEnv: { PATH: `/opt/bin:${variable('PATH')}`, ODD: variable('NOBODY_SETS_IT') },
    }),
  });
  const named = `${registry!.host}/drop-in-named-${process.pid}:v1`;
  const env = {
    ENVBUILDER_CACHE_REPO: repository(),
    ENVBUILDER_DEVCONTAINER_JSON_PATH: '/config/devcontainer.json',
    ENVBUILDER_INIT_SCRIPT: 'id -un; echo $PATH; echo $OWN $HELD',
    HELD: 'swordfish',
  };
  const options: ContainerOptions = {
    files: { '.devcontainer/Dockerfile': dockerfile() },
    docker: [`--volume=${platform}:/config:ro`],
    env,
  };
  const pushed = await containers.run({
    ...options,
    env: { ...env, ENVBUILDER_PUSH_IMAGE: '1', ENVBUILDER_TAG: named },
  });
  assert.equal(pushed.code, 0, pushed.stderr);
  assert.equal(pushed.stdout.toString(), 'dev\n/opt/bin:/usr/bin:/bin\nevery process swordfish\n');
  assert.match(pushed.stderr, /Dockerfile of \/config\/devcontainer\.json is taken from \S+\/\.devcontainer/);
  assert.match(pushed.stderr, /dev, the containerUser of devcontainer\.json, .* not the remoteUser root/);
  assert.match(pushed.stderr, /remoteEnv\.ODD of \S+ has \$\{NOBODY_SETS_IT\}, which nothing sets/);
  const latest = `${repository()}:latest`;
  const [, image = ''] = /pushed the image (\S+@sha256:\w+), as (\S+), as (\S+)/.exec(pushed.stderr) ?? [];
  assert.ok(pushed.stderr.includes(`pushed the image ${image}, as ${latest}, as ${named}`), pushed.stderr);
  const digest = image.split('@')[1]!;
  for (const name of [latest, named]) {
    const pulled = await run(docker!.command, ['pull', name], { env: docker!.env });
    assert.ok(pulled.includes(digest), pulled);
  }
  const inspected = await run(docker!.command, ['image', 'inspect', latest], { env: docker!.env });
  assert.match(inspected, /"OWN=every process"/);
  assert.doesNotMatch(inspected, /swordfish/);

  const started = await containers.run({ ...options, image: latest });
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stderr, /nothing is built/);
  assert.equal(started.stdout.toString(), pushed.stdout.toString(), 'who the user is goes with the image');
  const remote = { ...env, ENVBUILDER_INIT_USER: 'remote', ENVBUILDER_INIT_SCRIPT: 'id -un' };
  const asRemote = await containers.run({ ...options, image: latest, env: remote });
  assert.equal(asRemote.stdout.toString(), 'root\n', asRemote.stderr);

  const closed = await containers.run({
    ...options,
    image: latest,
    docker: [...options.docker!, '--cap-drop=CHOWN'],
  });
  assert.equal(closed.code, 0, closed.stderr);
  assert.match(closed.stderr, new RegExp(`cannot give ${WORKSPACE} to dev`));
  assert.match(closed.stderr, /change its owner to 1000:1000 .*ENVBUILDER_INIT_USER=root/);
});

test('the folder of a repository with an escape in its name', async (t) => {
  if (skipped(t)) return;
  const url = await makeRepository(containers.services, `drop in ${process.pid}`, {
    '.devcontainer/Dockerfile': dockerfile(),
    '.devcontainer/devcontainer.json': JSON.stringify({ build: { dockerfile: 'Dockerfile' } }),
  });
  const { code, stdout, stderr } = await containers.run({
    env: {
      ENVBUILDER_GIT_URL: url.replaceAll(' ', '%20'),
      ENVBUILDER_WORKSPACE_FOLDER: '',
      ENVBUILDER_CACHE_REPO: repository(),
      ENVBUILDER_INIT_SCRIPT: 'pwd; ls -A',
    },
  });
  assert.equal(code, 0, stderr);
  assert.equal(stdout.toString(), `/workspaces/drop in ${process.pid}\n.devcontainer\n.git\n`);
});
