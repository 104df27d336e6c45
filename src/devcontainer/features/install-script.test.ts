import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { scratchDir } from '../../core/testing.ts';
import { INSTALL_ROOT, usersScript } from './install-script.ts';

const dir = scratchDir('install-script');

const NAMES = ['_CONTAINER_USER', '_REMOTE_USER', '_CONTAINER_USER_HOME', '_REMOTE_USER_HOME'];

/** Runs the script with a directory in place of its own and a file in place of /etc/passwd; gives what a shell reads. */
function usersOf(containerUser: string, remoteUser: string): Readonly<Record<string, string>> {
  const root = join(dir, 'root');
  const script = usersScript({ containerUser, remoteUser })
    .replaceAll(INSTALL_ROOT, root)
    .replaceAll('getent passwd', 'false')
    .replaceAll('/etc/passwd', join(dir, 'passwd'));
  execFileSync('/bin/sh', ['-c', script]);
  const file = join(root, 'devcontainer-features.builtin.env');
  assert.equal(readFileSync(file, 'utf8').split('\n').length, 5);
  const show = NAMES.map((name) => `printf '%s\\n' "$${name}"`).join(';');
  const values = execFileSync('/bin/sh', ['-c', `. ${file}; ${show}`], { encoding: 'utf8' }).split('\n');
  return Object.fromEntries(NAMES.map((name, i) => [name, values[i]!]));
}

describe('usersScript', () => {
  // No line feed at the end, as of a file that was edited by hand.
  writeFileSync(
    join(dir, 'passwd'),
    'root:x:0:0:root:/root:/bin/sh\ndeveloper:x:7:7::/wrong:\ndev:x:1000:1000:A, B:/home/dev:/bin/sh',
  );

  it('looks homes up by name or number', () => {
    assert.deepEqual(usersOf('root', 'dev'), {
      _CONTAINER_USER: 'root',
      _REMOTE_USER: 'dev',
      _CONTAINER_USER_HOME: '/root',
      _REMOTE_USER_HOME: '/home/dev',
    });
    assert.equal(usersOf('1000', 'root')._CONTAINER_USER_HOME, '/home/dev');
  });

  it('leaves the home of a user who does not exist empty', () =>
    assert.equal(usersOf('root', 'late')._REMOTE_USER_HOME, ''));

  it('takes names for what they are', () =>
    assert.equal(usersOf('root', "o'b$HOME `x`")._REMOTE_USER, "o'b$HOME `x`"));
});
