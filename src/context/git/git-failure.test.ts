import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { createGit } from './git.ts';
import { gitFailureKind, gitReason } from './git-failure.ts';
import { gitProgram } from './git-program.ts';
import type { GitFailureKind } from './types.ts';

const AFTER = [
  'fatal: Could not read from remote repository.',
  'Please make sure you have the correct access rights',
  'and the repository exists.',
];
const ADDED = "Warning: Permanently added '[h.example]:22' (ED25519) to the list of known hosts.";

/** What git and ssh print, the kind of it, and what is told. */
const FAILURES: Readonly<Record<string, readonly [readonly string[], GitFailureKind, string]>> = {
  'no key that is taken': [
    [ADDED, 'git@h.example: Permission denied (publickey).', ...AFTER],
    'auth',
    'git@h.example: Permission denied (publickey)',
  ],
  'a key that is none': [
    [
      'Load key "/proc/1/fd/5": error in libcrypto',
      'git@h.example: Permission denied (publickey).',
      ...AFTER,
    ],
    'auth',
    'the private key cannot be loaded: error in libcrypto; git@h.example: Permission denied (publickey)',
  ],
  'another host key': [
    [
      '@@@@@@@@@@@@@@@@@',
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
      'IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!',
      'SHA256:abc.',
      'Offending ED25519 key in /etc/hosts.known:1',
      'Host key for h.example has changed and you have requested strict checking.',
      'Host key verification failed.',
      ...AFTER,
    ],
    'host-key',
    'Offending ED25519 key in /etc/hosts.known:1; Host key for h.example has changed and you have requested strict checking',
  ],
  'an unknown host key': [
    [
      'No ED25519 host key is known for h.example and you have requested strict checking.',
      'Host key verification failed.',
      ...AFTER,
    ],
    'host-key',
    'No ED25519 host key is known for h.example and you have requested strict checking',
  ],
  'a host key that is not wanted': [
    ['Host key verification failed.', ...AFTER],
    'host-key',
    'Host key verification failed',
  ],
  'an unknown host': [
    ['ssh: Could not resolve hostname nowhere.example: Name or service not known', ...AFTER],
    'network',
    'ssh: Could not resolve hostname nowhere.example: Name or service not known',
  ],
  'a closed port': [
    ['ssh: connect to host h.example port 22: Connection refused\r', ...AFTER],
    'network',
    'ssh: connect to host h.example port 22: Connection refused',
  ],
  'a connection that ends': [
    [
      'kex_exchange_identification: Connection closed by remote host',
      'Connection closed by 10.0.0.1 port 22',
      ...AFTER,
    ],
    'network',
    'kex_exchange_identification: Connection closed by remote host; Connection closed by 10.0.0.1 port 22',
  ],
  'no common algorithm': [
    [
      'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-dss',
      ...AFTER,
    ],
    'other',
    'Unable to negotiate with 10.0.0.1 port 22: no matching host key type found. Their offer: ssh-dss',
  ],
  'what the server says': [
    [ADDED, 'ERROR: Repository not found.', ...AFTER],
    'no-repository',
    'Repository not found',
  ],
  'a server that says nothing known': [['nonsense', ...AFTER], 'other', 'nonsense'],
  'nothing but that it failed': [[ADDED, ...AFTER], 'other', 'Could not read from remote repository'],
  'a failure of HTTP': [
    [
      "Cloning into 'x'...",
      "fatal: unable to access 'https://h.example/': Could not resolve host: h.example",
    ],
    'network',
    "unable to access 'https://h.example/': Could not resolve host: h.example",
  ],
  'control characters': [
    ['x\u001b[2J\u202e@h.example: Permission denied (publickey).', ...AFTER],
    'auth',
    'x?[2J?@h.example: Permission denied (publickey)',
  ],
};

for (const [name, [messages, kind, reason]] of Object.entries(FAILURES))
  test(`why git failed is told in the words of who knows it: ${name}`, () => {
    assert.equal(gitFailureKind(messages), kind);
    assert.equal(gitReason(messages), reason);
  });

test('a server that says much is cut', () => {
  const lines = Array.from({ length: 50 }, (_, i) => `ssh: ${i}${'x'.repeat(10_000)}`);
  assert.ok(gitReason([...lines, ...AFTER]).length < 1000);
});

test('ssh of this machine says so itself', async (t) => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  const git = createGit({ ...gitProgram(process.env.PATH ?? ''), ssh: { knownHosts: [] } });
  t.after(() => git.close());
  const { messages } = await git.run(['ls-remote', '--', `ssh://127.0.0.1:${port}/x.git`]);
  assert.equal(gitReason(messages), `ssh: connect to host 127.0.0.1 port ${port}: Connection refused`);
  assert.equal(gitFailureKind(messages), 'network');
});
