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
