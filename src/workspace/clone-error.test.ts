import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseGitUrl } from '../context/git/git-url.ts';
import { cloneError } from './clone-error.ts';
import { cloneRequest } from './testing.ts';

const AFTER = 'fatal: Could not read from remote repository.';
const LINES: Readonly<Record<string, readonly [string, string, RegExp]>> = {
  'a key that is not taken': ['git@h.example: Permission denied (publickey).', 'AUTH', /PRIVATE_KEY_PATH/],
  'a host with another key': [
    'Host key for h.example has changed and you have requested strict checking.\nHost key verification failed.',
    'WORKSPACE',
    /ask whoever runs the host/,
  ],
  'a host without a key': [
    'No RSA host key is known for h.example and you have requested strict checking.\nHost key verification failed.',
    'WORKSPACE',
    /ssh-keyscan/,
  ],
  'an unknown host': [
    'ssh: Could not resolve hostname h.example: Name or service not known',
    'WORKSPACE',
    /no proxy/,
  ],
  'a port without a server': [
    'ssh: connect to host h.example port 22: Connection refused',
    'WORKSPACE',
    /the port/,
  ],
  'a server that is too old': [
    'Unable to negotiate with 10.0.0.1 port 22: no matching cipher',
    'WORKSPACE',
    /ssh -v/,
  ],
};

for (const [name, [lines, code, hint]] of Object.entries(LINES))
  test(`a clone over SSH that fails has the words of ssh, and what to do: ${name}`, () => {
    const url = parseGitUrl('ssh://git@h.example/app.git')!;
    const messages = [...lines.split('\n'), AFTER];
    const error = cloneError({ code: 128, stdout: '', messages }, url, cloneRequest(url.remote));
    assert.equal(error.code, code);
    assert.match(error.hint!, hint);
    const [first = ''] = lines.split('\n');
    assert.equal(error.message, `cannot clone ssh://git@h.example/app.git: ${first.replace(/\.$/, '')}`);
  });
