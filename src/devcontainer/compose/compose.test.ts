import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine } from '../../sys/machine.ts';
import { definitionOf, type TestWorkspace } from '../testing.ts';

const IMAGES = { base: { User: 'img', Env: ['PATH=/bin'] } };

/** The definition of a workspace whose devcontainer.json names the service app of these files. */
function composed(files: TestWorkspace['files'], more: object = {}, request: TestWorkspace['request'] = {}) {
  const names = Object.keys(files).filter((name) => /^\.devcontainer\/compose.*yml$/.test(name));
  const dockerComposeFile = names.map((name) => name.slice('.devcontainer/'.length));
  const config = { dockerComposeFile, service: 'app', workspaceFolder: '/workspace', ...more };
  return definitionOf({
    files: { ...files, '.devcontainer/devcontainer.json': config },
    images: IMAGES,
    request,
  });
}

test('a service with an image brings its user and environment', async () => {
  const { build, devcontainer } = await composed(
    {
      '.devcontainer/compose.yml': `
services:
  app:
    image: \${IMG:-base}
    user: "1000"
    environment: { A: 1, B: true, FROM_ENV: , UNSET: }
    env_file: [more.env]
  db: { image: postgres }
`,
      '.devcontainer/more.env': 'A=0\nC="x\\ny" # note\n',
    },
    { containerEnv: { A: 'own' } },
    { env: { FROM_ENV: 'yes' } },
  );
  assert.equal(build.dockerfileText, 'FROM base\n');
  assert.deepEqual(devcontainer.containerEnv, { A: 'own', B: 'true', C: 'x\ny', FROM_ENV: 'yes' });
  assert.equal(devcontainer.containerUser, '1000');
  assert.equal(devcontainer.workspaceFolder, '/workspace');
});

test('a service with a build brings all that the build needs', async () => {
  const { build, folder } = await composed({
    '.devcontainer/compose.yml': `
services:
  app:
    build:
      context: ..
      dockerfile: docker/Dockerfile
      target: dev
      args: [V=1, FROM_ENV]
      additional_contexts: { assets: ./assets, other: docker-image://base }
      labels: { l: 1 }
`,
    'docker/Dockerfile': 'FROM base AS dev\nFROM scratch\n',
  });
  assert.equal(build.context, folder);
  assert.equal(build.dockerfile, `${folder}/docker/Dockerfile`);
  assert.equal(build.target, 'dev');
  assert.deepEqual([...build.buildArgs], [['V', '1']]);
  assert.deepEqual(Object.fromEntries(build.contexts), {
    assets: { type: 'dir', path: `${folder}/.devcontainer/assets` },
    other: { type: 'image', reference: 'base' },
  });
  assert.equal(build.labels.get('l'), '1');
});

test('a Dockerfile can stand in the Compose file', async () => {
  const { build, folder } = await composed({
    '.devcontainer/compose.yml':
      'services:\n  app:\n    build:\n      dockerfile_inline: |\n        FROM base\n        USER inline\n',
  });
  assert.equal(build.dockerfileText, 'FROM base\nUSER inline\n');
  assert.equal(build.context, `${folder}/.devcontainer`);
});

test('keys of the build that nobody honours are named', async () => {
  const { warnings } = await composed({
    '.devcontainer/compose.yml':
      'services:\n  app:\n    build: { context: ., secrets: [a], network: host, cache_from: [x], x-a: 1 }\n',
    '.devcontainer/Dockerfile': 'FROM base\n',
  });
  assert.deepEqual(warnings, ['build.secrets, build.network of the service app have no effect here']);
});

test('what does not fit into one container is named in a start', async () => {
  const files = {
    '.devcontainer/compose.yml': `
services:
  app:
    image: base
    command: sleep infinity
    privileged: true
    cap_add: [SYS_PTRACE]
    ports: ["80:80"]
    volumes: ["..:/workspace:cached", "data:/data", "../../shared:/shared"]
    restart: always
  db: { image: postgres }
volumes: { data: }
`,
  };
  const { warnings, devcontainer } = await composed(files, {}, { inContainer: true, workspaceFixed: true });
  assert.deepEqual(
    warnings.map((text) => text.replace(/ has no effect.*$/, '')),
    [
      'workspaceFolder (.devcontainer/devcontainer.json)',
      'privileged (service app)',
      'cap_add: SYS_PTRACE (service app)',
      'ports (service app)',
      'volumes: /data (service app)',
      'volumes: /shared (service app)',
      'services: db (.devcontainer/devcontainer.json)',
    ],
  );
  assert.equal(devcontainer.ungranted.length, warnings.length);
  const outside = await composed(files);
  assert.deepEqual(outside.warnings, []);
  // A clone may stand in for the workspace; what its files mean is still the workspace.
  const clone = await composed(
    files,
    {},
    { inContainer: true, workspaceFixed: true, containerFolder: '/workspaces/app' },
  );
  assert.deepEqual(
    clone.warnings.map((text) => text.replace(/ has no effect.*$/, '')),
    warnings.map((text) => text.replace(/ has no effect.*$/, '')),
  );
});

test('of a service is named what the container has not got', async () => {
  const files = {
    '.devcontainer.json': { dockerComposeFile: 'c.yml', service: 'app', runServices: ['app', 'db'] },
    'c.yml': `
services:
  app:
    image: base
    privileged: true
    cap_add: [SYS_PTRACE]
    security_opt: ["seccomp:unconfined"]
    init: true
    tmpfs: /run/x
    volumes: ["data:/data"]
    depends_on: { needed: { condition: service_started } }
  db: { image: x }
  needed: { image: x }
  idle: { image: x }
volumes: { data: }
`,
  };
  const said = async (machine: Partial<Machine>) =>
    (await definitionOf({ files, images: IMAGES, request: { inContainer: true }, machine })).warnings.map(
      (text) => text.slice(0, text.indexOf(' (')),
    );
  const services = ['runServices: db', 'services: needed'];
  assert.deepEqual((await said({})).sort(), [
    'cap_add: SYS_PTRACE',
    'init',
    'privileged',
    ...services.slice(0, 1),
    'security_opt: seccomp:unconfined',
    ...services.slice(1),
    'tmpfs: /run/x',
    'volumes: /data',
  ]);
  const everything = {
    hasCapability: () => true,
    isMounted: () => true,
    hasSecurityOption: () => true,
    hasInit: () => true,
  };
  assert.deepEqual((await said(everything)).sort(), services);
  // A pod or a host that has other services beside the container knows them by name.
  assert.deepEqual(await said({ ...everything, knowsHost: (name) => name === 'db' }), ['services: needed']);
});

test('mistakes point at the file that they are in', async () => {
  const rejected = async (
    compose: string,
    expected: { message?: RegExp | string; line?: number; file?: RegExp; more?: object },
  ) => {
    const error = await composed({ '.devcontainer/compose.yml': compose }, expected.more).then(
      () => assert.fail('it was accepted'),
      (reason) => reason,
    );
    assert.equal(error.code, 'DEVCONTAINER', error.stack);
    assert.match(error.message, new RegExp(expected.message ?? ''));
    if (expected.file) assert.match(error.where.range.file, expected.file);
    if (expected.line !== undefined) assert.equal(error.where.range.start.line, expected.line);
  };
  const app = 'services:\n  app:\n    image: ';
  await rejected('services: [', { message: 'this is not YAML', file: /compose\.yml$/, line: 1 });
  await rejected('- a', { message: 'must hold a mapping', file: /compose\.yml$/ });
  await rejected('services: { web: { image: x } }', {
    message: 'no service app',
    file: /devcontainer\.json$/,
  });
  await rejected(`${app}\${X:?set X}`, { message: 'X must be set: set X', file: /compose\.yml$/, line: 3 });
  await rejected(`${app}a\${`, { message: 'that starts no variable', file: /compose\.yml$/, line: 3 });
  await rejected('services:\n  app: {}', { message: 'neither image nor build' });
  await rejected('services:\n  app: { extends: app }', { message: 'extends itself' });
  await rejected('services:\n  app: { extends: b }', { message: 'extends b, which is not in', line: 2 });
  await rejected('services:\n  app: { build: https://x.org/a.git }', {
    message: 'only directories can be built',
  });
  await rejected(`${app}base\n    env_file: none.env`, { message: 'cannot read the env file .*none\\.env' });
  await rejected(app, { message: 'needs a service', more: { service: undefined } });
  await rejected(app, {
    message: 'there is no Compose file .*missing\\.yml',
    more: { dockerComposeFile: 'missing.yml' },
    file: /devcontainer\.json$/,
  });
});
