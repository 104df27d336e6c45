import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchDir } from '../core/testing.ts';
import { findAccount } from './account.ts';

const root = scratchDir('account');
mkdirSync(join(root, 'etc'));
writeFileSync(
  join(root, 'etc/passwd'),
  'root:x:0:0:root:/root:/bin/bash\ndev:x:1000:1001:,,,:/home/dev:/usr/bin/zsh\nbare:x:7:7:::\n',
);
writeFileSync(join(root, 'etc/group'), 'root:x:0:\ndev:x:1001:\ndocker:x:990:dev,other\nwheel:x:10:dev\n');

const find = (user: string) => findAccount(root, user, 'USER of the image');

test('names, numbers and groups', () => {
  const dev = {
    uid: 1000,
    gid: 1001,
    groups: [1001, 990, 10],
    name: 'dev',
    home: '/home/dev',
    shell: '/usr/bin/zsh',
  };
  assert.deepEqual(find('dev'), dev);
  assert.deepEqual(find('1000'), dev);
  assert.deepEqual(find('dev:docker'), { ...dev, gid: 990, groups: [990] });
  assert.deepEqual(find('1000:5'), { ...dev, gid: 5, groups: [5] });
  assert.equal(find('').name, 'root');
  assert.deepEqual(find('bare'), { uid: 7, gid: 7, groups: [7], name: 'bare', home: '/', shell: '/bin/sh' });
  assert.deepEqual(find('4711'), {
    uid: 4711,
    gid: 0,
    groups: [0],
    name: '4711',
    home: '/',
    shell: '/bin/sh',
  });
});

test('root in an image without /etc/passwd', () => {
  const empty = join(root, 'empty');
  mkdirSync(empty);
  const expected = { uid: 0, gid: 0, groups: [0], name: 'root', home: '/root', shell: '/bin/sh' };
  for (const user of ['', 'root', '0']) assert.deepEqual(findAccount(empty, user, 'the default'), expected);
});

test('a name that nobody has', () => {
  assert.throws(() => find('nobody-here'), {
    code: 'START_FAILED',
    message: 'the user "nobody-here" is not in /etc/passwd of the image (USER of the image)',
  });
  assert.throws(() => find('dev:none'), { code: 'START_FAILED', message: /group "none"/ });
});
