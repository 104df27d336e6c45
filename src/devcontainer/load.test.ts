import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveAfterBuild } from './resolve.ts';
import { definitionOf } from './testing.ts';

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
  }).catch((error) => error);
  assert.equal(old.message, 'USER is empty after expansion');
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
