import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { giveToUser } from './ownership.ts';

const HOMES = {
  '/home/dev': ['home/dev/file'],
  '/home/../home/dev//': ['home/dev/file'],
  '/': [],
  '//': [],
  '/home/..': [],
  '..': [],
  '.': [],
  '': [],
  '/own': [],
  '/own/bin': [],
  '/owner': ['owner/file'],
};

for (const [home, given] of Object.entries(HOMES)) {
  test(`what is given to a user with the home ${JSON.stringify(home)}`, async (t) => {
    // Inside, so that what leads out of it reaches nothing else.
    const root = join(tempDir(t), 'around/root');
    const files = ['file', 'home/dev/file', 'own/bin/file', 'owner/file'];
    for (const file of files) {
      mkdirSync(join(root, file, '..'), { recursive: true });
      writeFileSync(join(root, file), '');
    }
    mkdirSync(join(root, 'workspace'));
    const account = { uid: 1234, gid: 1234, groups: [], name: 'dev', home, shell: '/bin/sh' };
    await giveToUser(
      account,
      { folder: join(root, 'workspace'), state: 'found' },
      { root, ownDir: join(root, 'own'), emit: () => {} },
    );
    assert.deepEqual(
      files.filter((file) => lstatSync(join(root, file)).uid === 1234),
      given,
    );
  });
}
