import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findProgram } from './find-program.ts';

const root = mkdtempSync(join(tmpdir(), 'envbuilder-find-'));
chmodSync(root, 0o755);
after(() => rmSync(root, { recursive: true, force: true }));
const [closed, open] = [join(root, 'closed'), join(root, 'open')];
for (const directory of [closed, open]) {
  mkdirSync(directory);
  writeFileSync(join(directory, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
}
chmodSync(closed, 0o700);
symlinkSync('../closed/tool', join(open, 'link'));
symlinkSync('loop', join(root, 'loop'));
writeFileSync(join(open, 'grouped'), '#!/bin/sh\n', { mode: 0o750 });
writeFileSync(join(open, 'data'), '', { mode: 0o644 });

const user = { uid: 4242, gid: 4242, groups: [4242] };

test('a command is the first in PATH that its user may execute', () => {
  const path = `${join(open, 'tool')}:${join(root, 'loop')}:${closed}:${open}`;
  assert.deepEqual(findProgram('tool', path, '/'), { path: join(closed, 'tool'), foreign: false });
  assert.deepEqual(findProgram('tool', path, '/', user), { path: join(open, 'tool'), foreign: false });
});

test('what its user may not execute is named, with the reason', () => {
  const why = (word: string, who = user): unknown => findProgram(word, open, open, who);
  assert.deepEqual(why('./link'), {
    message: `${open}/link may not be executed by the user 4242`,
    exitCode: 126,
  });
  assert.match((why('grouped') as { message: string }).message, /may not be executed by the user 4242/);
  assert.deepEqual(why('grouped', { ...user, groups: [4242, 0] }), {
    path: join(open, 'grouped'),
    foreign: false,
  });
  assert.match((why('data') as { message: string }).message, /data is not executable/);
  assert.match((why('nothing') as { message: string }).message, /was not found in PATH/);
});
