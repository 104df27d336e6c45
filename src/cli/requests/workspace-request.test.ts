import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Parsed } from '../options/parse.ts';
import { parseOptions } from '../options/parse.ts';
import { workspaceRequest } from './workspace-request.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';

function request(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  const base = parseOptions('start', [], {});
  const parsed = { ...base, options: { ...base.options, ...given } } as Parsed;
  return workspaceRequest(parsed, { env, cwd: '/cwd' });
}

test('the folder is named after the repository', () => {
  assert.deepEqual(request({}), { folder: '/workspaces/empty' });
  assert.equal(request({ 'git-url': 'git@host:team/app.git#x' }).folder, '/workspaces/app');
  assert.equal(request({ 'git-url': 'https://h/a', 'workspace-base-dir': '/base' }).folder, '/base/a');
  assert.equal(request({ 'workspace-folder': 'w' }).folder, '/cwd/w');
});

test('credentials, proxies and depth reach the request', () => {
  const { clone } = request(
    {
      'git-url': 'ssh://h/a',
      'git-username': 'u',
      'git-password': 'p',
      'git-ssh-private-key-base64': Buffer.from(key).toString('base64'),
      'git-http-proxy-url': 'http://proxy:1',
      'git-clone-submodules': 'TRUE',
    },
    { SSH_AUTH_SOCK: '/agent', SSH_KNOWN_HOSTS: '/a:/b', HTTPS_PROXY: 'http://p', PATH: '/x' },
  );
  assert.deepEqual(clone?.credentials, {
    username: 'u',
    password: 'p',
    sshKey: key,
    sshAgent: '/agent',
    sshKnownHosts: ['/a', '/b'],
  });
  assert.deepEqual(clone?.network, {
    insecure: false,
    proxy: { https: 'http://p' },
    proxyUrl: 'http://proxy:1',
  });
  assert.equal(clone?.submodules, 10);
  assert.equal(clone?.git.path.split(':').at(-1), '/x');
});

test('what cannot be meant is refused', () => {
  const url = { 'git-url': 'ssh://h/a' };
  for (const given of [
    { 'git-ssh-private-key-base64': 'AAAA' },
    { 'git-ssh-private-key-base64': 'AAAA', 'git-ssh-private-key-path': '/k' },
    { 'git-clone-submodules': 'some' },
  ])
    assert.throws(() => request({ ...url, ...given }), { code: 'USAGE' });
});
