import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRedactor, dockerConfigSecrets, urlSecrets } from './redact.ts';

function redactorOf(...secrets: string[]) {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

describe('a redactor', () => {
  const cases: readonly (readonly [string, readonly string[], string, string])[] = [
    ['masks a secret wherever it stands', ['s3cret'], 'a s3cret, xs3crety', 'a ***, x***y'],
    ['masks the longer of two secrets whole', ['abcd', 'abcdef'], 'abcdef abcd', '*** ***'],
    ['takes secrets literally', ['a.c$(d'], 'a.c$(d abcxd', '*** abcxd'],
    [
      'masks every line of a secret of several lines',
      ['first line\nsecond'],
      'x first line\ny second',
      'x ***\ny ***',
    ],
    ['masks a secret without the newline at its end', ['token1\n'], 'token1.', '***.'],
    [
      'masks it in base64',
      ['me:password'],
      `Basic ${Buffer.from('me:password').toString('base64')}`,
      'Basic ***',
    ],
    ['masks it in a URL', ['a/b c?'], '?t=a%2Fb%20c%3F', '?t=***'],
    ['leaves text of three characters alone', ['abc'], 'abc', 'abc'],
    [
      'masks passwords in URLs',
      [],
      'GET https://me:pw@r.example/v2/ now',
      'GET https://***@r.example/v2/ now',
    ],
    ['masks a name alone over HTTP', [], 'http://ghp_token@github.com/x', 'http://***@github.com/x'],
    ['keeps the user of an SSH URL', [], 'ssh://git@github.com/x', 'ssh://git@github.com/x'],
    [
      'keeps an at sign in a path',
      [],
      'https://r.example/v2/a@sha256:12',
      'https://r.example/v2/a@sha256:12',
    ],
  ];
  for (const [name, secrets, text, masked] of cases) {
    it(name, () => assert.equal(redactorOf(...secrets).text(text), masked));
  }

  it('masks strings anywhere in a value and leaves the rest as it is', () => {
    const value = { a: ['s3cret', 1, null, { s3cret: true }], b: 'fine' };
    assert.deepEqual(redactorOf('s3cret').value(value), { a: ['***', 1, null, { '***': true }], b: 'fine' });
  });

  it('never lets a registered secret through', () => {
    const secret = fc
      .string({ unit: 'binary', minLength: 4, maxLength: 30 })
      .filter((text) => text.trim().length >= 4);
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1 }), fc.string(), fc.string(), (secrets, before, after) => {
        const redactor = redactorOf(...secrets);
        for (const text of secrets) {
          const masked = redactor.text(`${before}${text}${after}`);
          // What is left can only hold the secret where the mask itself spells it.
          if (!text.includes('*')) assert(!masked.includes(text), JSON.stringify({ text, masked }));
        }
      }),
    );
  });
});

describe('dockerConfigSecrets', () => {
  it('finds tokens, auth values and the passwords in them, in text that is no JSON too', () => {
    const auth = Buffer.from('me:pass:word').toString('base64');
    const found = dockerConfigSecrets(
      `{ // comment\n"auths": {"r": {"auth": "${auth}", "identitytoken":"tok"}}`,
    );
    assert.deepEqual(found, [auth, 'me:pass:word', 'pass:word', 'tok']);
  });
});

describe('urlSecrets', () => {
  it('finds passwords and tokens', () => {
    assert.deepEqual(urlSecrets('https://me:p%40ss@h/x https://tok@h ssh://git@h'), ['p@ss', 'tok']);
  });
});
