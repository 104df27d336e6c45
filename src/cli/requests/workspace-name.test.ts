import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path/posix';
import { test } from 'node:test';
import fc from 'fast-check';
import { workspaceName } from './workspace-name.ts';

/**
 * Addresses and the names that the Go program gives their folders, in the directory /: observed, with the rule of its
 * options/defaults.go on top of `NewEndpoint` of go-git 5.16.5, as it uses it.
 */
const OBSERVED = JSON.parse(
  readFileSync(new URL('testdata/workspace-names.json', import.meta.url), 'utf8'),
) as readonly (readonly [url: string, name: string])[];

/** It goes on with these names, and so lands in the folder of workspaces itself, or above it. */
const NO_NAMES = ['', '.', '..', 'a\0b'];

test('the folder of a repository has the name that the Go program gives it', () => {
  for (const [url, observed] of OBSERVED) {
    const expected = NO_NAMES.includes(observed) ? 'empty' : observed;
    assert.equal(workspaceName(url), expected, JSON.stringify(url));
  }
  assert.equal(workspaceName(undefined), 'empty');
});

test('a name never leaves the folder of workspaces', () => {
  const parts = ['..', '.', '/', '%2e', '%2f', '.git', '?', '#', ':', '@', 'h', 'https://', '\\', '%00'];
  const address = fc.array(fc.constantFrom(...parts), { maxLength: 8 }).map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(address, fc.string()), (url) => {
      const name = workspaceName(url);
      assert.ok(!['', '.', '..'].includes(name) && !name.includes('/') && !name.includes('\0'), name);
      assert.equal(dirname(`/workspaces/${name}`), '/workspaces');
    }),
  );
});
