import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepsNothing } from './build.ts';

test('a build without a cache, an output and a push keeps nothing', () => {
  const nothing = { outputs: [], push: false };
  assert.equal(keepsNothing(nothing), true);
  assert.equal(keepsNothing({ ...nothing, push: true }), false);
  assert.equal(keepsNothing({ ...nothing, cache: { type: 'directory', path: '/c' } }), false);
  assert.equal(keepsNothing({ ...nothing, outputs: [{ type: 'rootfs', path: '/o' }] }), false);
});
