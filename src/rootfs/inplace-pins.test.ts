import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPins, currentPins, pinOf } from './inplace-pins.ts';

test('a path is kept, on the way to something kept, or free', () => {
  const pins = createPins(['/', '/proc', '/usr/lib/x/libgpu.so', '/usr/lib/x', '/ws/']);
  const standing = (path: string): string => {
    const { kept, pin } = pinOf(pins, path);
    return kept ? 'kept' : pin ? 'ancestor' : 'free';
  };
  assert.deepEqual(
    ['/', '/proc', '/proc/1/fd', '/usr', '/usr/lib', '/usr/lib/x', '/usr/lib/y', '/ws', '/ws/a', '/w'].map(
      standing,
    ),
    ['ancestor', 'kept', 'kept', 'ancestor', 'ancestor', 'kept', 'free', 'kept', 'kept', 'free'],
  );
});

test('the mounts of this machine are kept', () => {
  const pins = currentPins(['/no/such/path']);
  assert.equal(pinOf(pins, '/proc/self').kept, true);
  assert.equal(pinOf(pins, '/no/such/path').kept, true);
  assert.equal(pinOf(pins, '/no/such').kept, false);
});
