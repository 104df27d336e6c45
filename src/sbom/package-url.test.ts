import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PackageUrlParts, packageUrl } from './package-url.ts';

test('package URLs are written as their types want them', () => {
  const cases: readonly [PackageUrlParts, string | undefined][] = [
    [
      {
        type: 'deb',
        namespace: 'debian',
        name: 'libstdc++6',
        version: '1:12.2-1+b1',
        qualifiers: { arch: 'amd64', distro: undefined },
      },
      'pkg:deb/debian/libstdc%2B%2B6@1:12.2-1%2Bb1?arch=amd64',
    ],
    [{ type: 'npm', namespace: '@types', name: 'node', version: '1.0.0' }, 'pkg:npm/%40types/node@1.0.0'],
    [{ type: 'pypi', name: 'Foo_Bar', version: '1' }, 'pkg:pypi/foo-bar@1'],
    [{ type: 'deb', name: 'a/..', version: '1' }, 'pkg:deb/a%2F..@1'],
    [{ type: 'deb', name: '' }, undefined],
  ];
  for (const [parts, expected] of cases) assert.equal(packageUrl(parts), expected);
});
