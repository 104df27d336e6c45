import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Parsed } from '../options/parse.ts';
import { parseOptions } from '../options/parse.ts';
import { dotfilesClone, workspaceRequest } from './workspace-request.ts';

const key = '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n';

function parsedOf(given: Readonly<Record<string, string>>): Parsed {
  const base = parseOptions('start', [], {});
  return { ...base, options: { ...base.options, ...given } } as Parsed;
}

function request(given: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}) {
  return workspaceRequest(parsedOf(given), { env, cwd: '/cwd' });
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

test('dotfiles: whole, with the keys of the workspace, and its password on its own server alone', () => {
  const clone = (url: string, given: Readonly<Record<string, string>> = {}) =>
    dotfilesClone(
      parsedOf({
        'git-url': 'https://corp:8443/team/app',
        'git-username': 'u',
        'git-password': 'p',
        'git-ssh-private-key-path': '/key',
        'git-http-proxy-url': 'http://proxy:1',
        ...given,
        'dotfiles-url': url,
      }),
      { env: {} },
    );
  assert.equal(clone(''), undefined);
  for (const [given, url] of [
    ['me/dots', 'https://github.com/me/dots.git'],
    ['me/dots#main', 'https://github.com/me/dots.git#main'],
    ['https://corp:8443/me/dots', 'https://corp:8443/me/dots'],
    ['git@host:me/dots', 'git@host:me/dots'],
    ['./dots', './dots'],
    ['/dots', '/dots'],
  ] as const)
    assert.equal(clone(given)?.url, url);
  for (const [url, git, password] of [
    ['https://corp:8443/me/dots', 'https://corp:8443/team/app', 'p'],
    ['https://corp/me/dots', 'https://corp:8443/team/app', undefined],
    ['http://corp:8443/me/dots', 'https://corp:8443/team/app', undefined],
    ['me/dots', 'https://corp:8443/team/app', undefined],
    ['me/dots', '', undefined],
    ['ssh://corp:8443/me/dots', 'https://corp:8443/team/app', undefined],
    ['git@corp:me/dots', 'git@corp:team/app', undefined],
    ['/dots', '/app', undefined],
  ] as const) {
    const { credentials, network, depth, submodules, singleBranch } = clone(url, {
      'git-url': git,
      'git-clone-depth': '1',
      'git-clone-submodules': 'true',
    })!;
    assert.deepEqual([credentials.password, credentials.sshKeyFile], [password, '/key'], url);
    assert.equal(credentials.username, password && 'u');
    assert.equal(network.proxyUrl, 'http://proxy:1');
    assert.deepEqual([depth, submodules, singleBranch], [undefined, 0, false]);
  }
});
