import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const workflows = globSync('.github/workflows/*.yml', { cwd: root });
const validate = (file: string): void => {
  execFileSync(process.execPath, [join(root, 'node_modules/@action-validator/cli/cli.mjs'), file], {
    cwd: root,
    stdio: 'pipe',
  });
};

test('workflows are what their schema says', () => {
  assert.ok(workflows.length > 0);
  for (const file of workflows) validate(file);
  assert.throws(() => validate('package.json'), 'the validator takes anything');
});

test('actions of others are named by commit, with their version beside it', () => {
  for (const file of workflows) {
    for (const [line] of readFileSync(join(root, file), 'utf8').matchAll(/^.*\buses:.*$/gm))
      assert.match(line, /uses: (?:\.\/|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)/, file);
  }
});

test('every script that a workflow runs is one of package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const all = workflows.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  const called = [...all.matchAll(/npm run (?:--silent )?([\w-]+)/g)].map(([, name]) => name!);
  assert.ok(called.length >= 3);
  for (const name of called) assert.ok(name in scripts, name);
});
