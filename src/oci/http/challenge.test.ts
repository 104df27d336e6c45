import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { chooseChallenge, parseChallenges } from './challenge.ts';

test('a bearer challenge', () => {
  const header =
    'Bearer realm="https://auth.example/token?a=b,c",service="r.example", scope="repository:a/b:pull,push"';
  assert.deepEqual(parseChallenges(header), [
    {
      scheme: 'bearer',
      params: {
        realm: 'https://auth.example/token?a=b,c',
        service: 'r.example',
        scope: 'repository:a/b:pull,push',
      },
    },
  ]);
});

test('several challenges in one header, bearer preferred', () => {
  const header = 'Basic realm="a \\"b\\"", Negotiate, BEARER realm=https://t.example/';
  assert.deepEqual(
    parseChallenges(header).map(({ scheme }) => scheme),
    ['basic', 'negotiate', 'bearer'],
  );
  assert.deepEqual(parseChallenges(header)[0]?.params, { realm: 'a "b"' });
  assert.equal(chooseChallenge(header)?.params.realm, 'https://t.example/');
  assert.equal(chooseChallenge('Basic realm=x')?.scheme, 'basic');
  assert.equal(chooseChallenge('Negotiate'), undefined);
  assert.equal(chooseChallenge(undefined), undefined);
});

test('nothing makes it fail', () => {
  fc.assert(fc.property(fc.string(), (header) => void chooseChallenge(header)));
});
