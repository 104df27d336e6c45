import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revealHidden } from './hidden-env.ts';

test('variables that the launcher hid are there again, those that were not set are not', () => {
  const env = { A: '1', ENVBUILDER_HIDDEN_NODE_OPTIONS: '--inspect', ENVBUILDER_HIDDEN_LD_PRELOAD: '' };
  assert.deepEqual(revealHidden(env), { A: '1', NODE_OPTIONS: '--inspect' });
});
