import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseGitUrl, withSshUser } from './git-url.ts';

test('the forms of an address', () => {
  const cases: [string, string, string, Record<string, unknown>?][] = [
    ['https://h/a.git', 'http', 'https://h/a.git', { origin: 'https://h' }],
    ['https://h:8443/a#refs/heads/x', 'http', 'https://h:8443/a', { fragment: 'refs/heads/x' }],
    [
      'http://u:p%40@h/a',
      'http',
      'http://h/a',
      { login: { origin: 'http://h', username: 'u', password: 'p@' } },
    ],
    ['ssh://git@h:22/a', 'ssh', 'ssh://git@h:22/a', { user: 'git' }],
    ['ssh://u:secret@h/a', 'ssh', 'ssh://u@h/a', { user: 'u' }],
    ['ssh://h/a', 'ssh', 'ssh://h/a'],
    ['git@h:team/a.git#v1', 'ssh', 'git@h:team/a.git', { user: 'git', fragment: 'v1' }],
    ['h:a', 'ssh', 'h:a'],
    ['git@[::1]:a', 'ssh', 'git@[::1]:a', { user: 'git' }],
    ['git@ssh.dev.azure.com:v3/o/p/r', 'ssh', 'git@ssh.dev.azure.com:v3/o/p/r', { user: 'git' }],
    ['git://h/a', 'git', 'git://h/a'],
    ['file:///a/b', 'local', 'file:///a/b'],
    ['/a/b:c', 'local', '/a/b:c'],
    ['./a', 'local', './a'],
  ];
  for (const [text, transport, remote, more = {}] of cases) {
    const parsed = parseGitUrl(text);
    assert.equal(parsed?.transport, transport, text);
    assert.equal(parsed?.remote, remote, text);
    for (const [name, value] of Object.entries(more))
      assert.deepEqual(parsed?.[name as keyof typeof parsed], value, `${text}: ${name}`);
  }
  for (const text of ['', '#x', '-x', 'ext::sh -c x', 'ftp://h/a', 'https://', 'https://h/a#-x', 'h:a\nb'])
    assert.equal(parseGitUrl(text), undefined, text);
});

test('the user of an SSH address is replaced', () => {
  const user = (text: string): string => withSshUser(parseGitUrl(text)!, 'me');
  assert.equal(user('ssh://h:1/a'), 'ssh://me@h:1/a');
  assert.equal(user('ssh://x@h/a'), 'ssh://me@h/a');
  assert.equal(user('x@h:a@b/c'), 'me@h:a@b/c');
  assert.equal(user('h:a'), 'me@h:a');
  assert.equal(user('https://h/a'), 'https://h/a');
});

test('no password is left in what git is called with', () => {
  const word = fc.stringMatching(/^[a-zA-Z0-9._%~-]{1,20}$/);
  fc.assert(
    fc.property(fc.constantFrom('http', 'https', 'ssh'), word, word, (scheme, name, secret) => {
      const password = `${secret.replaceAll('%', '')}Q9`;
      const parsed = parseGitUrl(`${scheme}://${name.replaceAll('%', '')}u:${password}@host/path`);
      assert.ok(parsed !== undefined && !parsed.remote.includes(`${password}@`));
    }),
  );
});
