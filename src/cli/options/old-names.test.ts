import assert from 'node:assert/strict';
import { test } from 'node:test';
import { userEnvironment } from '../requests/user-environment.ts';
import { readOldNames } from './old-names.ts';
import { parseOptions } from './parse.ts';
import { OPTIONS } from './table.ts';

test('variables without the prefix count in a start, and reach no user code', () => {
  const given = {
    GIT_URL: 'https://example.org/r',
    GIT_PASSWORD: 'secret',
    CACHE_REPO: 'old',
    ENVBUILDER_CACHE_REPO: 'new',
    VERBOSE: '',
    HOME: '/root',
    GIT_AUTHOR_NAME: 'A',
    BINARY_PATH: '/bin/envbuilder',
    ENVBUILDER_BINARY_PATH: '/bin/envbuilder',
  };
  const { env, used } = readOldNames(given);
  assert.deepEqual(used, ['GIT_PASSWORD', 'GIT_URL']);
  const { options } = parseOptions('start', [], env);
  assert.equal(options['git-url'], 'https://example.org/r');
  assert.equal(options['git-password'], 'secret');
  assert.equal(options['cache-repo'], 'new');
  assert.deepEqual(userEnvironment(env), { HOME: '/root', GIT_AUTHOR_NAME: 'A' });
});

test('every old name is that of an option of today', () => {
  const variables = OPTIONS.flatMap(({ variable }) => (variable ? [variable] : []));
  const bare = variables.map((name) => name.replace(/^ENVBUILDER_/, ''));
  const { used } = readOldNames(Object.fromEntries(bare.map((name) => [name, 'x'])));
  assert.equal(used.length, 40);
});
