import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../dockerfile/parse/parse.ts';
import { METADATA_LABEL } from './metadata.ts';
import { definitionOf, type TestWorkspace } from './testing.ts';

const FEATURE = {
  '.devcontainer/own/devcontainer-feature.json': {
    id: 'own',
    version: '1.0.0',
    name: 'Own',
    onCreateCommand: 'from the feature',
    privileged: true,
  },
  '.devcontainer/own/install.sh': '',
};
const images = {
  base: {
    User: 'someone',
    Labels: { [METADATA_LABEL]: '[{"id":"old","onCreateCommand":"from the image"}]' },
  },
};

/** What a configuration with the feature makes: the stages, the last user, the hooks in order, the label. */
async function withFeature(config: object, files: TestWorkspace['files'] = {}) {
  const own = { features: { './own': {} }, onCreateCommand: 'from the file' };
  const all = { ...FEATURE, ...files, '.devcontainer/devcontainer.json': { ...config, ...own } };
  const { build, devcontainer, warnings } = await definitionOf({
    files: all,
    images,
    request: { inContainer: true },
  });
  const { stages } = parseDockerfile(build.dockerfileText ?? '', 'Dockerfile');
  const [last] = stages.at(-1)!.instructions.slice(-1);
  return {
    target: build.target,
    from: stages.at(-1)!.from.image,
    user: last?.kind === 'user' ? last.user : '',
    contexts: [...build.contexts.keys()],
    hooks: devcontainer.hooks.onCreateCommand.map(({ origin, command }) => `${origin}: ${command}`),
    label: JSON.parse(build.labels.get(METADATA_LABEL) ?? '[]') as readonly object[],
    warnings,
  };
}

const CONTEXTS = ['dev-container-users', 'dev-container-feature-1-own'];

test('features are added to an image', async () => {
  const { hooks, label, warnings, ...rest } = await withFeature({ image: 'base' });
  assert.deepEqual(rest, {
    target: 'dev-container',
    from: 'dev-container-base',
    user: 'someone',
    contexts: CONTEXTS,
  });
  assert.equal(hooks.length, 3);
  assert.deepEqual(hooks.slice(0, 2), ['old: from the image', './own: from the feature']);
  assert.deepEqual(label.slice(0, 2), [
    { id: 'old', onCreateCommand: 'from the image' },
    { id: './own', onCreateCommand: 'from the feature', privileged: true },
  ]);
  assert.match(warnings.join('\n'), /privileged \(\.\/own\) has no effect here/);
});

test('features are added to the target of a Dockerfile', async () => {
  const dockerfile = 'FROM base AS one\nUSER two\nFROM base AS other\n';
  const build = { dockerfile: 'Dockerfile', target: 'one' };
  const made = await withFeature({ build }, { '.devcontainer/Dockerfile': dockerfile });
  assert.equal(made.from, 'one');
  assert.equal(made.user, 'two');
  assert.equal(made.target, 'dev-container');
});

test('features are added to the service of a Compose file', async () => {
  const compose = 'services:\n  app:\n    image: base\n    user: three\n  db:\n    image: other\n';
  const made = await withFeature(
    { dockerComposeFile: 'compose.yml', service: 'app' },
    { '.devcontainer/compose.yml': compose },
  );
  assert.equal(made.target, 'dev-container');
  assert.deepEqual(made.contexts, CONTEXTS);
  assert.equal(made.user, 'someone', 'the image keeps its user, as in the reference implementation');
});

test('what containerEnv says of itself stands in the image; what a start finds out and may be secret does not', async () => {
  const variables = ['env', 'localEnv', 'containerEnv'].map((name) => `\${${name}:SECRET}`);
  const folders = ['localWorkspaceFolder', 'containerWorkspaceFolderBasename', 'devcontainerId', 'HOME'];
  const late = [...variables, ...folders.map((name) => `\${${name}}`)];
  const containerEnv = {
    PLAIN: 'a "b" \\ $HOME',
    OVER: 'own',
    ...Object.fromEntries(late.map((value, i) => [`LATE_${i}`, `${value}/x`])),
    LATE_OVER: `${late[0]}`,
    ...{ '': 'x', 'A=B': 'x', NUL: 'a\0b' },
  };
  const below = [{ containerEnv: { OVER: 'below', LATE_OVER: 'below', BELOW: 'below' } }];
  const { build, devcontainer } = await definitionOf({
    files: { '.devcontainer.json': { image: 'base', containerEnv, runArgs: ['--env=ARGS=1'] } },
    images: { base: { Labels: { [METADATA_LABEL]: JSON.stringify(below) } } },
    request: { env: { SECRET: 'swordfish' } },
  });
  assert.deepEqual(Object.fromEntries(build.imageEnv ?? []), {
    PLAIN: containerEnv.PLAIN,
    OVER: 'own',
    BELOW: 'below',
  });
  assert.equal(devcontainer.containerEnv.LATE_0, 'swordfish/x', 'a start sets it');
  assert.equal(devcontainer.containerEnv.LATE_OVER, 'swordfish');
});
