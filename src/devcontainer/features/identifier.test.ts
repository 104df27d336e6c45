import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError } from '../../core/error.ts';
import { parseFeatureId, shownId } from './identifier.ts';
import { currentName, updateOldFeatures } from './legacy-ids.ts';

const parse = (id: string, configFile = '/w/.devcontainer/devcontainer.json') => {
  const { written, ...rest } = parseFeatureId(id, { configFile, where: {} });
  assert.equal(written, id);
  return rest;
};
const go = { type: 'oci', registry: 'ghcr.io', namespace: 'devcontainers/features', name: 'go' };
const digest = `sha256:${'a'.repeat(64)}`;

describe('parseFeatureId', () => {
  for (const [id, expected] of [
    ['ghcr.io/devcontainers/features/go', { ...go, tag: 'latest' }],
    ['GHCR.io/DevContainers/features/Go:1.2', { ...go, tag: '1.2' }],
    [`ghcr.io/devcontainers/features/go@${digest}`, { ...go, digest }],
    [`ghcr.io/devcontainers/features/go:1@${digest}`, { ...go, digest }],
    ['golang', { ...go, tag: '1' }],
    ['localhost:5000/a/go', { ...go, registry: 'localhost:5000', namespace: 'a', tag: 'latest' }],
    ['127.0.0.1:5000/a/b/go:2', { ...go, registry: '127.0.0.1:5000', namespace: 'a/b', tag: '2' }],
    [
      'ghcr.io/devcontainers-contrib/features/go',
      { ...go, namespace: 'devcontainers-extra/features', tag: 'latest' },
    ],
    [
      'https://example.com/a/devcontainer-feature-go.tgz',
      { type: 'tarball', url: 'https://example.com/a/devcontainer-feature-go.tgz', name: 'go' },
    ],
    [
      'Owner/repo.js/go@V1.2+x',
      {
        type: 'tarball',
        url: 'https://github.com/Owner/repo.js/releases/download/V1.2%2Bx/go.tgz',
        name: 'go',
        release: { owner: 'Owner', repository: 'repo.js', tag: 'V1.2+x' },
      },
    ],
    ...['', '@latest'].map(
      (version) =>
        [
          `a/b/go${version}`,
          {
            type: 'tarball',
            url: 'https://github.com/a/b/releases/latest/download/go.tgz',
            name: 'go',
            release: { owner: 'a', repository: 'b' },
          },
        ] as const,
    ),
    ['./go', { type: 'local', path: '/w/.devcontainer/go', name: 'go' }],
    ['./a/../go', { type: 'local', path: '/w/.devcontainer/go', name: 'go' }],
  ] as const) {
    it(id, () => assert.deepEqual(parse(id), expected));
  }

  it('finds local features from a configuration in a folder of its own', () => {
    const config = '/w/.devcontainer/python/devcontainer.json';
    assert.deepEqual(parse('../shared', config), {
      type: 'local',
      path: '/w/.devcontainer/shared',
      name: 'shared',
    });
    assert.throws(() => parse('../../shared', config), { code: 'DEVCONTAINER' });
  });

  it('finds local features from a file in the workspace itself', () => {
    const found = { type: 'local', path: '/w/.devcontainer/go', name: 'go' };
    assert.deepEqual(parse('./.devcontainer/go', '/w/.devcontainer.json'), found);
    // The reference wants it below .devcontainer; beside the file it is found here as well.
    assert.deepEqual(parse('./go', '/w/.devcontainer.json'), { ...found, path: '/w/go' });
    assert.throws(() => parse('../go', '/w/.devcontainer.json'), { code: 'DEVCONTAINER' });
  });

  for (const [id, message] of [
    ['go', /names no registry/],
    ['a/b', /names no registry/],
    ['a/b/c/d', /names no registry/],
    [`devcontainers/features/go@${digest}`, /names no registry/],
    ['a/b/c@1@2', /malformed|names no registry/],
    ['ghcr.io/go', /is malformed/],
    ['ghcr.io/a//go', /is malformed/],
    ['ghcr.io/a/go@sha256:1', /malformed version/],
    ['ghcr.io/a/go:a b', /malformed version/],
    ['/etc', /absolute path/],
    ['../x', /outside/],
    ['./', /outside/],
    ['https://example.com/go.tgz', /not a URL of a feature/],
    ['http://example.com/devcontainer-feature-go.tgz', /not a URL of a feature/],
  ] as const) {
    it(`refuses ${id}`, () =>
      assert.throws(
        () => parse(id),
        (error) => error instanceof AppError && error.code === 'DEVCONTAINER' && message.test(error.message),
      ));
  }

  it('shows no credentials', () =>
    assert.equal(shownId({ written: 'https://me:secret@example.com/x' }), 'https://***@example.com/x'));
});

describe('ids of the time before collections', () => {
  it('stand for the features that they became', () => {
    assert.equal(currentName('node'), 'ghcr.io/devcontainers/features/node:1');
    assert.equal(currentName('common'), 'ghcr.io/devcontainers/features/common-utils:1');
    assert.equal(currentName('./node'), './node');
  });

  it('become options where the feature became one', () => {
    const warned: string[] = [];
    const features = updateOldFeatures(
      { gradle: true, 'ghcr.io/devcontainers/features/java:1': '17', maven: {} },
      (id) => warned.push(id),
    );
    assert.deepEqual(features, {
      'ghcr.io/devcontainers/features/java:1': { version: '17', installGradle: true, installMaven: true },
    });
    assert.deepEqual(warned, ['gradle', 'maven']);
  });
});
