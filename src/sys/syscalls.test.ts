import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSyscalls } from './syscalls.ts';

/** statfs(2): ext2, ext3 and ext4. */
const EXT = 0xef53;

const directory = mkdtempSync(join(tmpdir(), 'envbuilder-syscalls-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('ext4 is told to spread the directories in one, as chattr +T does', (t) => {
  if (statfsSync(directory).type !== EXT) return t.skip('no ext4 here');
  const { spreadDirectories } = createSyscalls();
  for (let time = 0; time < 2; time += 1) assert.equal(spreadDirectories(directory), true);
  const [flags] = execFileSync('lsattr', ['-d', directory], { encoding: 'utf8' }).split(' ');
  assert.match(flags!, /T/);
  assert.match(flags!, /e/, 'what was set before stays');
});

test('a file system that takes no such hint does nothing', () => {
  assert.equal(createSyscalls().spreadDirectories('/proc'), false);
});
