import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import type { ContainerConfig, ImageConfig } from '../oci/types.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { devcontainerOfImage, resolveAfterBuild } from './resolve.ts';
import { definitionOf, warningsOf } from './testing.ts';

function imageWith(config: ContainerConfig): ImageConfig {
  return { os: 'linux', architecture: 'amd64', config, rootfs: { type: 'layers', diff_ids: [] } };
}

const labelled = (value: unknown): ImageConfig =>
  imageWith({
    User: 'root',
    Labels: { 'devcontainer.metadata': typeof value === 'string' ? value : JSON.stringify(value) },
  });

test('a label alone makes a dev container', () => {
  const events: Event[] = [];
  const deps = {
    scope: { containerWorkspaceFolder: '/work', devcontainerId: 'id' },
    env: { HOME: '/h' },
    emit: (event: Event) => events.push(event),
  };
  const one = devcontainerOfImage(labelled({ remoteUser: 'dev', postStartCommand: 'x' }), deps);
  assert.equal(one.remoteUser, 'dev');
  assert.equal(one.containerUser, 'root');
  assert.equal(one.workspaceFolder, '/work');
  const several = devcontainerOfImage(
    labelled([
      { id: 'ghcr.io/a/b:1', onCreateCommand: `echo \${containerWorkspaceFolder}` },
      { onCreateCommand: ['a', `\${localEnv:HOME}`], waitFor: 'postCreateCommand' },
    ]),
    deps,
  );
  assert.deepEqual(several.hooks.onCreateCommand, [
    { origin: 'ghcr.io/a/b:1', command: 'echo /work' },
    { origin: 'image metadata', command: ['a', '/h'] },
  ]);
  assert.equal(several.waitFor, 'postCreateCommand');
  assert.deepEqual(warningsOf(events), []);
  for (const bad of ['{', '1', '[null]', '"x"', '[[]]']) {
    assert.deepEqual(devcontainerOfImage(labelled(bad), deps).metadata, [], bad);
    assert.match(
      warningsOf(events.splice(0))[0]!,
      /the label devcontainer\.metadata of the image is not JSON/,
    );
  }
});

test('what of a label has a wrong type is left out, and said', () => {
  const wrong = {
    id: 1,
    remoteUser: {},
    containerUser: ['x'],
    mounts: 5,
    containerEnv: 'A=1',
    postCreateCommand: 5,
    waitFor: 'never',
    capAdd: true,
    entrypoint: {},
    customizations: [],
    userEnvProbe: true,
    privileged: 'yes',
  };
  const right = { containerEnv: { A: 1 }, mine: 1, capAdd: 'X', forwardPorts: 'any', postStartCommand: 'x' };
  const events: Event[] = [];
  const deps = { scope: {}, env: {}, emit: (event: Event) => events.push(event) };
  const found = devcontainerOfImage(labelled([wrong, right]), deps);
  assert.deepEqual(
    warningsOf(events).map((text) => /^\w+/.exec(text)?.[0]),
    Object.keys(wrong),
  );
  assert.deepEqual(
    found.metadata.map(({ entry }) => entry),
    [{ ...right, containerEnv: { A: '1' }, capAdd: ['X'] }],
  );
  assert.deepEqual(found.containerEnv, { A: '1' });
  assert.equal(found.remoteUser, 'root');
});

test('an image from elsewhere brings its label below the file', async () => {
  const { devcontainer } = await definitionOf({
    files: { '.devcontainer.json': { image: 'base', remoteUser: 'own', postCreateCommand: 'own' } },
    images: { base: {} },
  });
  const image = labelled([{ remoteUser: 'other', userEnvProbe: 'none', postCreateCommand: 'other' }]);
  const resolved = resolveAfterBuild(devcontainer, image, {}, () => {});
  assert.equal(resolved.remoteUser, 'own');
  assert.equal(resolved.userEnvProbe, 'none');
  assert.deepEqual(
    resolved.hooks.postCreateCommand.map(({ command }) => command),
    ['other', 'own'],
  );
});

test('hooks are known in order, each with the moment it is for', () => {
  assert.deepEqual(
    LIFECYCLE.map(({ name, runs }) => `${name} ${runs}`),
    [
      'initializeCommand host',
      'onCreateCommand creation',
      'updateContentCommand content',
      'postCreateCommand creation',
      'postStartCommand start',
      'postAttachCommand attach',
    ],
  );
});
