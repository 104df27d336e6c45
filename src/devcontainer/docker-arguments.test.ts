import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerFlags } from './docker-arguments.ts';
import { applyRunArgs } from './run-args.ts';
import { definitionOf } from './testing.ts';

test('flags are read in all their spellings', () => {
  const words = [
    '--env=A=1',
    '-e',
    'B=2',
    '-eC=3',
    '-u=me',
    '--rm',
    '-it',
    '--name',
    'x',
    'word',
    '--label',
    'l=1',
    '--last',
  ];
  assert.deepEqual(
    parseDockerFlags(words).map(({ name, value }) => `${name} ${value}`),
    [
      '--env A=1',
      '--env B=2',
      '--env C=3',
      '--user me',
      '--rm undefined',
      '-it undefined',
      '--name x',
      '--label l=1',
      '--last undefined',
    ],
  );
});

test('runArgs give variables and a user, and the rest is named', () => {
  const { settings, ungranted } = applyRunArgs(
    [
      '-e',
      'A=b=c',
      '--user',
      'me',
      '--cap-add=SYS_PTRACE',
      '--name',
      'x',
      '-e',
      'INHERITED',
      '--network',
      'host',
    ],
    'file',
  );
  assert.deepEqual(settings, { env: { A: 'b=c' }, user: 'me' });
  assert.deepEqual(
    ungranted.map(({ property }) => property),
    ['runArgs: --cap-add SYS_PTRACE', 'runArgs: --env', 'runArgs: --network'],
  );
});

const IMAGES = { base: { User: 'img', Env: ['A=image'] } };

test('runArgs win over metadata, and metadata over the image', async () => {
  const file = (more: object) => ({ '.devcontainer.json': { image: 'base', ...more } });
  const plain = await definitionOf({ files: file({}), images: IMAGES });
  assert.equal(plain.devcontainer.containerUser, 'img');
  const named = await definitionOf({ files: file({ containerUser: 'c' }), images: IMAGES });
  assert.equal(named.devcontainer.containerUser, 'c');
  assert.equal(named.devcontainer.remoteUser, 'c');
  const runArgs = ['-e', 'A=args', '--user=args:group'];
  const all = { containerUser: 'c', containerEnv: { A: 'c', B: '${containerEnv:A}' }, runArgs };
  const { devcontainer } = await definitionOf({ files: file(all), images: IMAGES });
  assert.equal(devcontainer.containerUser, 'args:group');
  assert.equal(devcontainer.remoteUser, 'args');
  assert.deepEqual(devcontainer.containerEnv, { A: 'args', B: 'image' });
});

test('build.options that we know are honoured, the others are named', async () => {
  const options = [
    '--build-arg=V=2',
    '--label',
    'l=1',
    '--target=b',
    '--build-context=alpine:latest=docker-image://base',
    '--platform=linux/arm64',
    '--progress=plain',
    '--network=host',
    '--add-host=a:1',
  ];
  const { build, warnings } = await definitionOf({
    files: {
      '.devcontainer.json': { build: { dockerfile: 'D', args: { V: '1', W: '1' }, options } },
      D: 'ARG V\nFROM alpine AS a\nFROM a AS b\nUSER u$V\nFROM none\n',
    },
    images: IMAGES,
  });
  assert.deepEqual(Object.fromEntries(build.buildArgs), { V: '2', W: '1' });
  assert.equal(build.labels.get('l'), '1');
  assert.equal(build.target, 'b');
  // The command line, which named one, wins over the file.
  assert.equal(build.platform, 'linux/amd64');
  assert.deepEqual(build.contexts.get('alpine'), { type: 'image', reference: 'base' });
  assert.deepEqual(warnings, [
    'build.options has flags of docker build that have no effect here: --network, --add-host',
  ]);
});
