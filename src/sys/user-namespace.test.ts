import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idMap, subordinateIds, whyNoNamespace } from './user-namespace.ts';

test('subordinate ids are those of the name or the number of a user, and bad lines are passed over', () => {
  const text = [
    'dev:100000:65536',
    'other:200000:65536',
    '1000:300000:10',
    '# dev:1:1',
    'dev:x:1',
    'dev:5:0',
    'developer:7:7',
    '',
  ].join('\n');
  assert.deepEqual(subordinateIds(text, { name: 'dev', uid: 1000 }), [
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
  ]);
  assert.deepEqual(subordinateIds(text, { name: 'nobody', uid: 65534 }), []);
});

test('a map has the own id as root, and ranges one behind the other', () => {
  const ranges = [
    { start: 100000, count: 65536 },
    { start: 300000, count: 10 },
  ];
  assert.deepEqual(idMap(1000, ranges), ['0', '1000', '1', '1', '100000', '65536', '65537', '300000', '10']);
});

test('the own id can be another one than root inside, and the others keep their order', () => {
  const ranges = [
    { start: 100000, count: 1000 },
    { start: 300000, count: 10 },
  ];
  const map = (inside: number): string => idMap(1000, ranges, inside).join(' ');
  assert.equal(map(7), '0 100000 7 7 1000 1 8 100007 993 1001 300000 10');
  assert.equal(map(1000), '0 100000 1000 1000 1000 1 1001 300000 10');
  assert.equal(map(1005), '0 100000 1000 1000 300000 5 1005 1000 1 1006 300005 5');
  assert.equal(map(5000), '0 100000 1000 1000 300000 10 5000 1000 1');
  assert.equal(idMap(1000, [], 5).join(' '), '5 1000 1');
});

test('a setting of the kernel that forbids namespaces is named, with what lifts it', () => {
  const settings = [
    ['user/max_user_namespaces', '0', /sysctl user\.max_user_namespaces=/],
    ['kernel/unprivileged_userns_clone', '0', /sysctl kernel\.unprivileged_userns_clone=1/],
    ['kernel/apparmor_restrict_unprivileged_userns', '1', /apparmor_restrict_unprivileged_userns=0/],
  ] as const;
  for (const [name, value, hint] of settings)
    assert.match(whyNoNamespace((setting) => (setting === name ? value : '')).hint, hint);
  assert.match(whyNoNamespace(() => '').hint, /as root/);
});
