import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPins, currentPins, pinOf } from './pins.ts';

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

test('mounts are kept, and paths to keep that are there', () => {
  const pins = currentPins(['/no/such/path', import.meta.filename]);
  assert.equal(pinOf(pins, '/proc/self').kept, true);
  assert.equal(pinOf(pins, '/no/such/path').kept, false);
  assert.equal(pinOf(pins, import.meta.filename).kept, true);
  assert.equal(pinOf(pins, import.meta.dirname).kept, false);
});
