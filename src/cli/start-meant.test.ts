import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStartMeant } from './start-meant.ts';

const outside = { pid: 4711, directory: undefined };

test('a start is meant in a container and with variables of one, and not by the name alone', () => {
  assert.equal(isStartMeant({ PATH: '/bin', HOME: '/root' }, outside), false);
  assert.equal(isStartMeant({ ENVBUILDER_NODE: '/node', ENVBUILDER_NODE_FLAGS: '' }, outside), false);
  assert.equal(isStartMeant({}, { ...outside, pid: 1 }), true);
  assert.equal(isStartMeant({}, { ...outside, directory: '/.envbuilder' }), true);
  for (const name of ['KANIKO_DIR', 'GIT_URL', 'ENVBUILDER_GIT_URL', 'ENVBUILDER_INIT_SCRIPT', 'INIT_SCRIPT'])
    assert.equal(isStartMeant({ [name]: 'x' }, outside), true, name);
});
