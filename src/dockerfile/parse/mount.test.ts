import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandMount, parseMount } from './mount.ts';

const range = { file: 'D', start: { line: 1, column: 1 }, end: { line: 1, column: 9 } };
const lookup = (name: string): string | undefined =>
  ({ T: 'cache', UID: '1000', DIR: '/home', M: '0700', BAD: 'x' })[name];
const parse = (text: string) => parseMount(text, range, '\\', {});
const expand = (text: string) => expandMount(parse(text), lookup, '\\', {});

test('a mount without variables expands to itself', () => {
  for (const text of [
    'target=/x',
    'type=cache,target=/x,uid=1,mode=0700',
    'type=secret,id=a,required',
    'type=ssh',
    'from=a,target=b,rw',
  ]) {
    assert.deepEqual(expand(text), parse(text), text);
  }
});

test('variables are left out of typed options until they are expanded', () => {
  const text = `type=$T,target=$DIR/x,uid=$UID,mode=\${M},id='$DIR'`;
  assert.deepEqual(parse(text), {
    type: 'bind',
    target: '$DIR/x',
    id: `'$DIR'`,
    readonly: true,
    required: false,
    text,
    range,
  });
  assert.deepEqual(expand(text), {
    type: 'cache',
    target: '/home/x',
    uid: 1000,
    mode: 0o700,
    id: '$DIR',
    readonly: false,
    required: false,
    text,
    range,
  });
});

test('what a variable brings in is checked like the rest', () => {
  assert.throws(() => expand('type=$BAD,target=/x'), {
    code: 'DOCKERFILE',
    message: 'the mount option type has the unknown value "x"',
  });
  assert.throws(() => expand('type=cache,target=/x,uid=$BAD'), { code: 'DOCKERFILE' });
  assert.throws(() => expand('type=$T,target=/x,size=1m'), { message: 'a cache mount has no option size' });
});

test('options may come before the type that they belong to, but for those that BuildKit checks on the way', () => {
  assert.equal(parse('uid=3,target=/x,type=cache').uid, 3);
  assert.equal(parse('sharing=locked,target=/x,type=cache').sharing, 'locked');
  for (const text of ['size=1k,target=/x,type=tmpfs', 'required,id=x,type=secret', 'required=1,type=ssh'])
    assert.throws(() => parse(text), { code: 'DOCKERFILE', message: /^a bind mount has no option/ });
  assert.throws(() => parse('type=ssh,source=/x'), { code: 'DOCKERFILE' });
});
