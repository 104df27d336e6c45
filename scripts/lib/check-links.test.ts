import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../src/core/testing.ts';
import { brokenLinks } from './check-links.ts';

test('links to files and headings that are not there are found, and no others', (t) => {
  const root = tempDir(t);
  mkdirSync(join(root, 'docs'));
  writeFileSync(
    join(root, 'README.md'),
    '# A\n[a](#a) [b](docs/b.md#a-heading-of-b) [web](https://x/y#z) [gone](c.md) [no](docs/b.md#none)\n`[code](d.md)`\n',
  );
  writeFileSync(
    join(root, 'docs/b.md'),
    '# B\n\n## A `heading` of B!\n\n```sh\n# none\n```\n[up](../README.md#a)\n',
  );
  assert.deepEqual(brokenLinks(root, ['README.md', 'docs/b.md']), [
    'README.md: c.md leads to no file',
    'README.md: docs/b.md#none leads to no heading',
  ]);
});
