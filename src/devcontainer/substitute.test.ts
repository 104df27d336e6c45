import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { devcontainerId, idLabels } from './container-id.ts';
import { VARIABLES } from './properties.ts';
import { substitute } from './substitute.ts';

const ALL = {
  localWorkspaceFolder: '/home/u/app',
  containerWorkspaceFolder: '/workspaces/app/sub',
  devcontainerId: 'id',
  localEnv: { NAME: 'local', EMPTY: '' },
  containerEnv: { NAME: 'container' },
};

test('every variable that is documented is known, but for those without a prefix, which a start knows', () => {
  for (const { name } of VARIABLES) assert.equal(substitute(name, ALL) === name, name === '${NAME}', name);
});

test('variables stand for what they say', () => {
  const expected: Readonly<Record<string, string>> = {
    '${localEnv:NAME}': 'local',
    '${env:NAME}': 'local',
    '${localEnv:EMPTY:x}': '',
    '${localEnv:NONE}': '',
    '${localEnv:NONE:default}': 'default',
    '${localEnv:NONE:a:b}': 'a',
    '${localEnv:toString:x}': 'x',
    '${containerEnv:NAME}/${containerEnv:NONE:d}': 'container/d',
    '${localWorkspaceFolder}|${localWorkspaceFolderBasename}': '/home/u/app|app',
    '${containerWorkspaceFolder}|${containerWorkspaceFolderBasename}': '/workspaces/app/sub|sub',
    'x${devcontainerId}y': 'xidy',
    '${unknown} ${unknown:a} ${} $NAME ${NAME ${ localEnv:NAME }':
      '${unknown} ${unknown:a} ${} $NAME ${NAME ${ localEnv:NAME }',
  };
  for (const [text, value] of Object.entries(expected)) assert.equal(substitute(text, ALL), value, text);
});

test('what is not given stays as it is', () => {
  for (const { name } of VARIABLES) assert.equal(substitute(name, {}), name);
});

test('a value that looks like a variable is not looked through again', () => {
  const variables = { localEnv: { A: '${localEnv:B}', B: 'b' } };
  assert.equal(substitute('${localEnv:A}', variables), '${localEnv:B}');
});

test('strings are replaced wherever they stand, keys are not', () => {
  const value = { '${localEnv:NAME}': ['${localEnv:NAME}', 1, null, true, { a: '${localEnv:NAME}' }] };
  assert.deepEqual(substitute(value, ALL), { '${localEnv:NAME}': ['local', 1, null, true, { a: 'local' }] });
});

test('an environment without a name is an error', () => {
  for (const text of ['${localEnv}', '${containerEnv}', '${env}'])
    assert.throws(() => substitute(text, ALL), {
      code: 'DEVCONTAINER',
      message: `${text} names no variable`,
    });
});

test('text without variables stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes('${'));
      assert.equal(substitute(text, ALL), text);
    }),
  );
});

test('the id is 52 digits to the base of 32, the same for the same labels in any order', () => {
  const labels = idLabels('/a', '/a/.devcontainer.json');
  const id = devcontainerId(labels);
  assert.match(id, /^[0-9a-v]{52}$/);
  assert.equal(devcontainerId(Object.fromEntries(Object.entries(labels).reverse())), id);
  assert.notEqual(devcontainerId(idLabels('/b', '/b/.devcontainer.json')), id);
  // Written down from @devcontainers/cli 0.89.0; test/devcontainer-reference.test.ts asks it each time.
  assert.equal(id, '1s2ir76ql7ilu9vi2o6i1fuiqvq1o6o1bmkgaf6hkn5tgepfqjjk');
});
