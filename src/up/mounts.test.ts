import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf, hexOf } from '../core/digest.ts';
import type { Event } from '../core/events.ts';
import { tempDir } from '../core/testing.ts';
import { mountOf, mountsOfRunArgs, resolveMounts } from './mounts.ts';

const from = 'a test';

test('a mount is read in every spelling that docker run takes', () => {
  const expected = { type: 'bind', source: '/a', target: '/b', readonly: false, from };
  for (const text of [
    'type=bind,source=/a,target=/b',
    'type=bind,src=/a,dst=/b,consistency=cached',
    'TYPE=bind,source=/a,destination=/b,readonly=false',
    'type=bind,"source=/a",target=/b',
  ])
    assert.deepEqual(mountOf(text, from), expected, text);
  assert.deepEqual(mountOf({ type: 'bind', source: '/a', target: '/b' }, from), expected);
  assert.equal(mountOf('type=bind,source=/a,target=/b,readonly', from)?.readonly, true);
  assert.equal(mountOf('type=bind,"source=/a,b",target=/c', from)?.source, '/a,b');
  assert.equal(mountOf('target=/b', from)?.type, 'volume');
  for (const text of ['type=bind,source=/a', 'type=bind,source=/a,target=b'])
    assert.equal(mountOf(text, from), undefined);
});

test('flags of docker run are mounts, and others are none', () => {
  const words = [
    '-v',
    '/a:/b:ro',
    '--volume=name:/c',
    '-v',
    '/d',
    '--tmpfs',
    '/e:size=1m',
    '--mount',
    'type=bind,src=/f,dst=/g',
    '--init',
  ];
  assert.deepEqual(
    mountsOfRunArgs(words, from).map(({ type, source, target, readonly }) => [
      type,
      source,
      target,
      readonly,
    ]),
    [
      ['bind', '/a', '/b', true],
      ['volume', 'name', '/c', false],
      ['volume', '', '/d', false],
      ['tmpfs', '', '/e', false],
      ['bind', '/f', '/g', false],
    ],
  );
});

test('the last mount of a target counts, those above come first, and what cannot be mounted is said', (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'real'));
  symlinkSync('real', join(dir, 'link'));
  const events: Event[] = [];
  const mount = (type: string, source: string, target: string) => ({
    type,
    source,
    target,
    readonly: false,
    from,
  });
  const places = { volume: (name: string) => `/volumes/${name}`, own: '/own' };
  const found = resolveMounts(
    [
      mount('bind', join(dir, 'real'), '/a/b/c'),
      mount('tmpfs', '', '/a'),
      mount('bind', join(dir, 'link'), '/a/b/c/'),
      mount('volume', 'named', '/v'),
      mount('volume', '', '/w/x'),
      mount('bind', join(dir, 'none'), '/n'),
      mount('bind', 'relative', '/r'),
      mount('volume', '../up', '/u'),
      mount('npipe', '', '/p'),
      mount('bind', dir, '/proc/1'),
      mount('bind', dir, '/x/../proc'),
      mount('volume', '', '/..'),
      mount('tmpfs', '', '//'),
      mount('volume', '', 'here'),
    ],
    places,
    (event) => events.push(event),
  );
  assert.deepEqual(
    found.map((one) => (one.type === 'bind' ? [one.target, one.source, one.volume ?? false] : [one.target])),
    [
      ['/a'],
      ['/v', '/volumes/named', true],
      ['/w/x', `/own/${hexOf(digestOf('/w/x')).slice(0, 32)}`, true],
      ['/a/b/c', join(dir, 'real'), false],
    ],
  );
  const said = events.map((event) => (event.type === 'warning' ? event.text : ''));
  assert.deepEqual(
    said.map((text) => /^nothing is mounted on (\S+) \(a test\): /.exec(text)?.[1]),
    ['/n', '/r', '/u', '/p', '/proc/1', '/proc', '/', 'here'],
  );
});

test('volumes without a name never share a directory, nor leave theirs', () => {
  const targets = fc.array(fc.array(fc.constantFrom('a', 'b', '_', '..', '.', '%2F', ''), { maxLength: 4 }));
  fc.assert(
    fc.property(targets, (parts) => {
      const wanted = parts.map((names) => ({
        type: 'volume',
        source: '',
        target: `/${names.join('/')}`,
        readonly: false,
        from,
      }));
      const found = resolveMounts(wanted, { volume: (name) => name, own: '/own' }, () => {});
      const sources = found.map((one) => (one.type === 'bind' ? one.source : ''));
      assert.equal(new Set(sources).size, new Set(found.map(({ target }) => target)).size);
      for (const source of sources) assert.match(source, /^\/own\/[0-9a-f]{32}$/);
    }),
  );
});
