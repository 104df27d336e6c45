import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NODE_FLAGS } from './node-flags.ts';

const root = join(import.meta.dirname, '..');

test('launchers that cannot import the flags of Node have the same', () => {
  const [, shell = ''] =
    /^ENVBUILDER_NODE_FLAGS='(.*)'$/m.exec(readFileSync(join(root, 'scripts/bootstrap.sh'), 'utf8')) ?? [];
  assert.deepEqual(shell.split(' '), NODE_FLAGS);
  const [, list = ''] =
    /^const FLAGS = \[(.*)\];$/m.exec(readFileSync(join(root, 'src/cli/bin.js'), 'utf8')) ?? [];
  assert.deepEqual(
    [...list.matchAll(/'([^']*)'/g)].map(([, flag]) => flag),
    NODE_FLAGS,
  );
});
