import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../core/limits.ts';
import { checkDepth } from './depth.ts';

test('as many layers as are read again may be made, and one more is an error that says of what', () => {
  const { most } = LIMITS.layers;
  checkDepth(most);
  checkDepth(most, { path: '/f' });
  const code = 'BUILD_FAILED';
  assert.throws(() => checkDepth(most + 1), { code, message: /^the image with its runtime has 501 layers/ });
  assert.throws(() => checkDepth(most + 1, { path: '/f' }), { code, message: /^the image after this step/ });
});
