import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../../core/events.ts';
import { scratchDir } from '../../core/testing.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import { parseOptions } from '../options/parse.ts';
import { defineBuild, dockerfileBuild, settingsOfFile, startedDevcontainer } from './start-definition.ts';

const folder = scratchDir('definition');
mkdirSync(join(folder, 'web'));
for (const path of ['Dockerfile', 'web/Dockerfile']) writeFileSync(join(folder, path), 'FROM scratch\n');

function deps(events: Event[] = []) {
  return {
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    workspace: '/workspaces/app',
    stateDir: '/state',
    emit: (event: Event): void => {
      events.push(event);
    },
  };
}

test('paths are relative to the workspace, with a warning when the context may be another one', () => {
  const events: Event[] = [];
  const emit = deps(events).emit;
  const build = (dockerfile: string, context?: string) => {
    const env = { ENVBUILDER_DOCKERFILE_PATH: dockerfile, ENVBUILDER_BUILD_CONTEXT_PATH: context };
    return dockerfileBuild(parseOptions('start', [], env), folder, emit);
  };
  assert.deepEqual(build('web/Dockerfile'), {
    context: folder,
    dockerfile: join(folder, 'web/Dockerfile'),
    repository: folder,
  });
  assert.match((events.pop() as { hint?: string }).hint ?? '', /ENVBUILDER_BUILD_CONTEXT_PATH=web /);
  assert.deepEqual(build('web/Dockerfile', 'web').context, join(folder, 'web'));
  // A path that looks absolute is below the workspace, unless there is such a file.
  assert.deepEqual(build('/web/Dockerfile', '/web'), {
    context: join(folder, 'web'),
    dockerfile: join(folder, 'web/Dockerfile'),
    repository: folder,
  });
  assert.equal(build(join(folder, 'Dockerfile')).dockerfile, join(folder, 'Dockerfile'));
  assert.deepEqual(events, []);
  assert.throws(() => build('none'), { code: 'DOCKERFILE' });
});

test('a folder that was cloned is a checkout, and one of the user is none', async () => {
  const env = { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile' };
  const checkout = async (more: Readonly<Record<string, string>>) =>
    (await defineBuild(parseOptions('start', [], { ...env, ...more }), folder, deps())).build.checkout;
  assert.equal(await checkout({}), undefined);
  assert.equal(await checkout({ ENVBUILDER_GIT_URL: 'https://example.com/r.git' }), folder);
});

test('a Dockerfile that is named keeps dev containers out, and the target is that of the options', async () => {
  const parsed = parseOptions('start', ['--target=x'], { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile' });
  const { build, devcontainer } = await defineBuild(parsed, folder, deps());
  assert.deepEqual(build, {
    context: folder,
    dockerfile: join(folder, 'Dockerfile'),
    repository: folder,
    target: 'x',
  });
  assert.equal(devcontainer, undefined);
});

test('a dev container from a clone elsewhere is described as of the workspace', async () => {
  mkdirSync(join(folder, '.devcontainer'));
  const file = join(folder, '.devcontainer/devcontainer.json');
  const config = {
    build: { dockerfile: '../Dockerfile', args: { PLACE: '$' + '{containerWorkspaceFolder}' } },
    containerEnv: { PLACE: '$' + '{localWorkspaceFolder}' },
    postCreateCommand: 'true',
  };
  writeFileSync(file, JSON.stringify(config));
  const definition = await defineBuild(parseOptions('start', [], {}), folder, deps());
  assert.equal(definition.build.buildArgs?.get('PLACE'), '/workspaces/app');
  assert.equal(definition.build.dockerfile, join(folder, 'Dockerfile'));
  const built = await startedDevcontainer(definition.devcontainer, { User: 'dev:docker' }, deps());
  assert.equal(built.configFile, '/workspaces/app/.devcontainer/devcontainer.json');
  assert.equal(built.workspaceFolder, '/workspaces/app');
  assert.deepEqual(built.containerEnv, { PLACE: '/workspaces/app' });
  assert.deepEqual(
    [built.containerUser, built.remoteUser, built.userEnvProbe, built.waitFor],
    ['dev:docker', undefined, undefined, undefined],
  );
  assert.equal(built.hooks.postCreateCommand?.length, 1);
});

test('a workspace that cannot be where the file has it is described as of where it is', async () => {
  const workspace = mkdtempSync(join(folder, 'placed-'));
  const there = join(folder, 'there', basename(workspace));
  const variable = (name: string) => `\${${name}}`;
  const config = {
    image: 'scratch',
    workspaceFolder: join(folder, 'there', variable('localWorkspaceFolderBasename')),
    containerEnv: { PLACE: variable('containerWorkspaceFolder') },
  };
  writeFileSync(join(workspace, '.devcontainer.json'), JSON.stringify(config));
  const file = join(workspace, '.devcontainer.json');
  const place = { ...deps(), workspace };
  const described = async (events: Event[]) => {
    const on = { ...deps(events), workspace };
    const parsed = parseOptions('start', [], {});
    const definition = await defineBuild(parsed, workspace, place);
    const image: ContainerConfig = { Labels: Object.fromEntries(definition.build.labels!) };
    const built = await startedDevcontainer(definition.devcontainer, image, on);
    const pushed = await startedDevcontainer(undefined, image, on, await settingsOfFile(file, on));
    return [built, pushed].map(({ containerEnv, workspaceFolder, workspaceLink }) => ({
      ...{ place: containerEnv.PLACE, workspaceFolder, workspaceLink },
    }));
  };
  const placed = { place: there, workspaceFolder: there, workspaceLink: there };
  assert.deepEqual(await described([]), [placed, placed]);
  assert.equal(readlinkSync(there), workspace);
  rmSync(there);
  writeFileSync(there, 'a file');
  const events: Event[] = [];
  const left = { place: workspace, workspaceFolder: workspace, workspaceLink: undefined };
  assert.deepEqual(await described(events), [left, left]);
  assert.match(JSON.stringify(events), /workspaceFolder is .* is no directory; the workspace is in/);
});

test('an image brings its own metadata, and no devcontainer.json', async () => {
  const label = JSON.stringify([
    { id: 'feature', postStartCommand: 'true', entrypoint: '/init.sh' },
    { remoteUser: 'vscode', userEnvProbe: 'loginShell' },
  ]);
  const config: ContainerConfig = { User: 'root', Labels: { 'devcontainer.metadata': label } };
  const started = await startedDevcontainer(undefined, config, deps());
  assert.equal(started.configFile, undefined);
  assert.equal(started.remoteUser, 'vscode');
  assert.equal(started.userEnvProbe, 'loginShell');
  assert.deepEqual(started.entrypoints, [{ origin: 'feature', command: '/init.sh' }]);
});

test('a container of a pushed image gets from the file what the label does not say, as the build did', async () => {
  const workspace = mkdtempSync(join(folder, 'pushed-'));
  const variable = (name: string) => `\${${name}}`;
  const own = {
    workspaceFolder: `${variable('localWorkspaceFolder')}/sub`,
    containerEnv: { ID: variable('devcontainerId'), OWN: variable('containerEnv:BELOW') },
  };
  const files = {
    '.devcontainer/run-args/devcontainer.json': JSON.stringify({
      ...own,
      build: { dockerfile: 'Dockerfile' },
      runArgs: ['--env', `SECRET=${variable('localEnv:SECRET')}`, '--user=1234:5'],
    }),
    '.devcontainer/run-args/Dockerfile': 'FROM scratch\n',
    '.devcontainer/compose/devcontainer.json': JSON.stringify({
      ...own,
      dockerComposeFile: 'compose.yaml',
      service: 'app',
    }),
    '.devcontainer/compose/compose.yaml': `services: { app: { build: ., user: dev, environment: { BELOW: "${variable('SECRET')}" } } }`,
    '.devcontainer/compose/Dockerfile': 'FROM scratch\n',
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(workspace, path, '..'), { recursive: true });
    writeFileSync(join(workspace, path), text);
  }
  const place = { ...deps(), workspace, env: { SECRET: 'of this start' } };
  for (const [name, env, user] of [
    ['run-args', { SECRET: 'of this start' }, '1234:5'],
    ['compose', { BELOW: 'of this start' }, 'dev'],
  ] as const) {
    const parsed = parseOptions('start', [`--devcontainer-name=${name}`], {});
    const definition = await defineBuild(parsed, workspace, place);
    const image: ContainerConfig = { Labels: Object.fromEntries(definition.build.labels!) };
    assert.doesNotMatch(JSON.stringify(image), /of this start/);
    const { configFile, ...built } = await startedDevcontainer(definition.devcontainer, image, place);
    const settings = await settingsOfFile(configFile!, place);
    const pushed = await startedDevcontainer(undefined, image, place, settings);
    const names = Object.keys(built.envOrigins!);
    assert.deepEqual(names, ['containerEnv.ID', 'containerEnv.OWN']);
    const label = Object.fromEntries(names.map((key) => [key, 'image metadata']));
    assert.deepEqual(pushed, { ...built, envOrigins: label });
    assert.equal(pushed.containerUser, user);
    assert.equal(pushed.workspaceFolder, join(workspace, 'sub'));
    assert.match(pushed.containerEnv.ID!, /^[0-9a-v]{52}$/);
    for (const [key, value] of Object.entries(env)) assert.equal(pushed.containerEnv[key], value);
  }
  const events: Event[] = [];
  assert.equal(await settingsOfFile(join(workspace, 'none.json'), deps(events)), undefined);
  assert.match(JSON.stringify(events), /there is no dev container file .*metadata of the image/);
});

test('a file in place of devcontainer.json, and features besides its own', async () => {
  const workspace = mkdtempSync(join(folder, 'override-'));
  writeFileSync(
    join(workspace, 'own.json'),
    '{"build": {"dockerfile": "Dockerfile"}, "runArgs": ["--user=7"]}',
  );
  const define = (override: string, features: string) =>
    defineBuild(
      parseOptions('start', [], {
        ENVBUILDER_OVERRIDE_CONFIG: override,
        ENVBUILDER_ADDITIONAL_FEATURES: features,
      }),
      workspace,
      { ...deps(), cwd: workspace },
    );
  mkdirSync(join(workspace, '.devcontainer/f'), { recursive: true });
  writeFileSync(join(workspace, '.devcontainer/Dockerfile'), 'FROM scratch\n');
  writeFileSync(join(workspace, '.devcontainer/f/install.sh'), '');
  writeFileSync(
    join(workspace, '.devcontainer/f/devcontainer-feature.json'),
    '{"id": "f", "version": "1.0.0", "onCreateCommand": "of the feature"}',
  );
  const { build, devcontainer } = await define('own.json', '{"./f": {}, /* that is all */}');
  assert.equal(build.dockerfile, join(workspace, '.devcontainer/Dockerfile'));
  const known = devcontainer!.devcontainer;
  assert.deepEqual(
    known.hooks.onCreateCommand.map(({ command }) => command),
    ['of the feature'],
  );
  assert.equal(known.configFile, join(workspace, '.devcontainer/devcontainer.json'));
  // A container of the pushed image reads it too.
  const place = { ...deps(), workspace };
  const overrideConfig = join(workspace, 'own.json');
  const settings = await settingsOfFile(known.configFile!, { ...place, overrideConfig });
  const label: ContainerConfig = { Labels: Object.fromEntries(build.labels!) };
  assert.equal((await startedDevcontainer(undefined, label, place, settings)).containerUser, '7');
  for (const text of ['[]', '"./f"', 'null', '{', '{"./f": 1}', '{"./f": {"o": []}}', '{'.repeat(9000)])
    await assert.rejects(define('own.json', text), { code: 'USAGE' }, text.slice(0, 20));
  await assert.rejects(define('none.json', '{}'), /there is no dev container file .*none.json/);
});
