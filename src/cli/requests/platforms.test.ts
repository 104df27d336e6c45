import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firstPlatform, indexPlatforms, onePlatform } from './platforms.ts';

/** What is given, and the platforms of the index that is made. */
const GIVEN: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[], []],
  [['linux/amd64'], []],
  [
    ['linux/amd64', 'linux/arm64'],
    ['linux/amd64', 'linux/arm64'],
  ],
  // One spelling, as containerd normalises it, and each of them once.
  [['linux/arm64', 'linux/arm64/v8', 'linux/aarch64', 'arm64'], []],
  [
    ['linux/arm64/v8', 'x86_64', 'linux/arm', 'linux/armhf'],
    ['linux/arm64', 'linux/amd64', 'linux/arm/v7'],
  ],
];

test('several platforms are those that differ when they are spelt alike', () => {
  for (const [platform, index] of GIVEN) assert.deepEqual(indexPlatforms({ platform }), index, `${platform}`);
});

test('one platform is what it is, and several are refused where there can be one alone', () => {
  assert.deepEqual(firstPlatform({ platform: [] }), {});
  assert.deepEqual(firstPlatform({ platform: ['linux/aarch64', 'amd64'] }), { platform: 'linux/arm64' });
  assert.deepEqual(onePlatform({ platform: ['arm64', 'linux/arm64/v8'] }, 'it'), { platform: 'linux/arm64' });
  const several = { platform: ['linux/amd64', 'linux/arm64'] };
  assert.throws(() => onePlatform(several, 'a container'), {
    code: 'USAGE',
    message: /a container is for one platform/,
  });
});
