import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../scripts/lib/shell.ts';
import type { ContainerConfig } from '../src/oci/types.ts';
import { missingService, useEnvironment } from './support/environment.ts';
import { readOciLayout } from './support/read-image.ts';
import { referenceCli } from './support/reference-cli.ts';
import { builtSteps, cachedImage } from './support/results.ts';
import { createSandbox, type Sandbox } from './support/sandbox.ts';

const environment = useEnvironment(['registry', 'docker']);

/** `@REGISTRY@` in the files stands for the registry. */
type Files = Readonly<Record<string, string | object>>;

/** A sandbox with these files as its workspace; undefined where there is no registry. */
function workspace(t: TestContext, files: Files): Sandbox | undefined {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) {
    t.skip(missing);
    return undefined;
  }
  const { host } = environment.services.registry!;
  const texts = Object.entries(files).map(([name, content]) => {
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    return [name, text.replaceAll('@REGISTRY@', host)];
  });
  const box = createSandbox(Object.fromEntries(texts));
  t.after(() => box.close());
  return box;
}

/** Builds with a new cache, again with that cache, and probes; returns the config of what was built. */
async function buildTwiceAndProbe(box: Sandbox, args: readonly string[] = []): Promise<ContainerConfig> {
  const { host } = environment.services.registry!;
  const repository = `${host}/cache/devcontainer-${randomBytes(4).toString('hex')}`;
  const common = ['--devcontainer', `--cache-repo=${repository}`, '--progress=json', ...args];
  const layout = box.path('layout');
  const first = await box.build([...common, '--push', `--output=type=oci,dest=${layout}`]);
  assert.equal(first.code, 0, first.output);
  const again = await box.build(common);
  assert.equal(again.code, 0, again.output);
  assert.deepEqual(builtSteps(again), [], 'something was built again');
  assert.equal(again.stdout, first.stdout);
  const probed = await box.build(common, { command: 'probe' });
  assert.equal(probed.code, 0, probed.output);
  assert.equal(cachedImage(probed), `${repository}@${first.stdout.trim()}`);
  box.assertClean();
  const { config, problems } = await readOciLayout(layout);
  assert.deepEqual(problems, []);
  return JSON.parse(config.toString()).config;
}

function entriesOf(config: ContainerConfig): unknown {
  return JSON.parse(config.Labels?.['devcontainer.metadata'] ?? 'null');
}

const CONFIG = {
  build: {
    dockerfile: 'Dockerfile',
    context: '..',
    args: { GREETING: '${localEnv:GREETING:hello}' },
    target: 'dev',
  },
  remoteUser: 'dev',
  containerEnv: { A: '${containerWorkspaceFolder}' },
  postCreateCommand: { a: 'make', b: ['npm', 'ci'] },
  customizations: { vscode: { extensions: ['x.y'] } },
};

const DOCKERFILE = `FROM @REGISTRY@/busybox:1 AS dev
ARG GREETING
COPY file.txt /copied
RUN echo "$GREETING" > /greeting && echo dev:x:1000:1000::/:/bin/sh >> /etc/passwd
USER dev
FROM scratch
`;

test('a dev container with a Dockerfile is built, comes from the cache the second time, and a probe finds it', async (t) => {
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': CONFIG,
    '.devcontainer/Dockerfile': DOCKERFILE,
    'file.txt': 'content\n',
  });
  if (!box) return;
  const config = await buildTwiceAndProbe(box);
  assert.equal(config.User, 'dev');
  const { build: _, ...entry } = CONFIG;
  assert.deepEqual(entriesOf(config), [entry]);
});

test('an image that carries metadata passes it on, below what the file says', async (t) => {
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': CONFIG,
    '.devcontainer/Dockerfile': DOCKERFILE,
    'file.txt': 'content\n',
  });
  if (!box) return;
  const { host } = environment.services.registry!;
  const name = `${host}/devcontainer/${randomBytes(4).toString('hex')}:1`;
  const made = await box.build(['--devcontainer', `--tag=${name}`, '--push']);
  assert.equal(made.code, 0, made.output);
  const over = workspace(t, {
    '.devcontainer.json': { image: name, postCreateCommand: 'own', waitFor: 'postCreateCommand' },
  })!;
  const config = await buildTwiceAndProbe(over);
  const { build: _, ...below } = CONFIG;
  assert.deepEqual(entriesOf(config), [below, { postCreateCommand: 'own', waitFor: 'postCreateCommand' }]);
  assert.equal(config.User, 'dev');
});

test('a Compose service is built', async (t) => {
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': {
      dockerComposeFile: 'compose.yml',
      service: 'app',
      workspaceFolder: '/workspace',
      remoteUser: 'root',
    },
    '.devcontainer/compose.yml': `
services:
  app:
    build: { context: .., dockerfile_inline: "FROM @REGISTRY@/busybox:1\\nCOPY a /a\\nRUN test -s /a\\n" }
    volumes: ["..:/workspace:cached"]
    command: sleep infinity
  db: { image: postgres }
`,
    a: 'a',
  });
  if (!box) return;
  assert.deepEqual(entriesOf(await buildTwiceAndProbe(box)), [{ remoteUser: 'root' }]);
});

test('a local feature is part of the dev container and of its metadata', async (t) => {
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': { image: '@REGISTRY@/busybox:1', features: { './f': { word: 'hi' } } },
    '.devcontainer/f/devcontainer-feature.json': {
      id: 'f',
      version: '1.0.0',
      options: { word: { type: 'string' } },
      containerEnv: { FROM_FEATURE: 'yes' },
      postStartCommand: 'f',
    },
    '.devcontainer/f/install.sh': '#!/bin/sh\necho "$WORD $_REMOTE_USER" > /from-feature\n',
  });
  if (!box) return;
  const config = await buildTwiceAndProbe(box);
  assert.deepEqual(entriesOf(config), [{ id: './f', postStartCommand: 'f' }]);
  assert.ok(config.Env?.includes('FROM_FEATURE=yes'));
});

test('the lockfile is written when that is asked for, and only then', async (t) => {
  const missing = missingService(environment.services, ['registry']);
  if (missing !== undefined) return t.skip(missing);
  const { host } = environment.services.registry!;
  const namespace = `lock-${randomBytes(4).toString('hex')}`;
  const source = workspace(t, {
    'src/f/devcontainer-feature.json': { id: 'f', version: '1.0.0', name: 'f' },
    'src/f/install.sh': '#!/bin/sh\ntrue\n',
  })!;
  // The reference speaks plain HTTP with this name alone.
  const local = `localhost:${host.split(':')[1]}`;
  const where = [`--registry=${local}`, `--namespace=${namespace}`];
  const published = await referenceCli(['features', 'publish', ...where, `${source.context}/src`]);
  assert.equal(published.code, 0, published.output);
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': {
      image: '@REGISTRY@/busybox:1',
      features: { [`${host}/${namespace}/f:1`]: {} },
    },
  })!;
  const lockfile = join(box.context, '.devcontainer/devcontainer-lock.json');
  const build = (...more: readonly string[]) => box.build(['--devcontainer', ...more]);
  assert.equal((await build()).code, 0);
  assert.equal(existsSync(lockfile), false);
  assert.equal((await build('--devcontainer-lockfile=frozen')).code, 17);
  assert.equal((await build('--devcontainer-lockfile=update')).code, 0);
  assert.match(readFileSync(lockfile, 'utf8'), /"version": "1\.0\.0"/);
  assert.equal((await build('--devcontainer-lockfile=frozen')).code, 0);
});

test('one of several configurations is chosen by its name', async (t) => {
  const box = workspace(t, {
    '.devcontainer/a/devcontainer.json': { image: '@REGISTRY@/busybox:1', remoteUser: 'a' },
    '.devcontainer/b/devcontainer.json': { image: '@REGISTRY@/busybox:1', remoteUser: 'b' },
  });
  if (!box) return;
  const config = await buildTwiceAndProbe(box, ['--devcontainer-name=b']);
  assert.deepEqual(entriesOf(config), [{ remoteUser: 'b' }]);
});

test('a mistake is shown where it stands', async (t) => {
  const box = workspace(t, { '.devcontainer.json': '{\n  "image": "x",\n  "remoteUser": true\n}\n' });
  if (!box) return;
  const result = await box.build(['--devcontainer']);
  assert.equal(result.code, 17, result.output);
  assert.match(result.stderr, /remoteUser must be the name of a user, and not the boolean true/);
  assert.match(result.stderr, /\.devcontainer\.json:3:17/);
  assert.deepEqual(readdirSync(box.context), ['.devcontainer.json']);
});

test('the reference implementation and Docker make an image with the same configuration', async (t) => {
  const { services } = environment;
  const missing = missingService(services, ['registry', 'docker']);
  if (missing !== undefined) return t.skip(missing);
  const labelled = [
    { id: 'f:1', init: true },
    { remoteUser: 'below', onCreateCommand: 'below' },
  ];
  const box = workspace(t, {
    '.devcontainer/devcontainer.json': { ...CONFIG, remoteEnv: { R: '"$x" \\ `y`' } },
    '.devcontainer/Dockerfile': DOCKERFILE.replace(/^(COPY|RUN).*\n/gm, '').replace(
      'FROM @REGISTRY@/busybox:1',
      `FROM @REGISTRY@/busybox:1 AS base
LABEL devcontainer.metadata='${JSON.stringify(labelled)}' other=1
ENV E=1
FROM base`,
    ),
  })!;
  const { host } = services.registry!;
  const docker = services.docker!;
  const tag = `devcontainer-${randomBytes(4).toString('hex')}`;
  // The base must be an image: the reference looks at nothing but the labels of that.
  const base = `${host}/devcontainer/${tag}:base`;
  const context = join(box.context, '.devcontainer');
  const pushed = await box.build(['--target=base', `--tag=${base}`, '--push'], { context });
  assert.equal(pushed.code, 0, pushed.output);
  box.write({
    '.devcontainer/Dockerfile': `FROM ${base} AS dev\nARG GREETING\nENV G=$GREETING\nUSER dev\nFROM scratch\n`,
  });
  const config = await buildTwiceAndProbe(box);
  await run(docker.command, ['pull', '--quiet', base], { env: docker.env });
  const args = [
    'build',
    `--workspace-folder=${box.context}`,
    `--docker-path=${docker.command}`,
    `--image-name=${tag}`,
  ];
  const built = await referenceCli(args, { env: docker.env });
  assert.equal(built.code, 0, built.output);
  const inspected = await run(docker.command, ['image', 'inspect', tag], { env: docker.env });
  const theirs = JSON.parse(inspected)[0].Config as ContainerConfig;
  assert.deepEqual(entriesOf(config), entriesOf(theirs));
  const plain = ({ User, Env, WorkingDir, Labels }: ContainerConfig) => {
    const { 'devcontainer.metadata': _, ...rest } = Labels ?? {};
    return { User, Env: [...(Env ?? [])].sort(), WorkingDir: WorkingDir || '/', Labels: rest };
  };
  assert.deepEqual(plain(config), plain(theirs));
});
