import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountAround, parseMountTable, readMountTable } from './mount-table.ts';

test('fields, options and escaped names of a mount', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt\\0402 ro,noatime master:1 shared:7 - ext3 /dev/root\\134x rw,errors=continue',
    '37 35 0:5 / /caf\\303\\251\\377 rw - tmpfs none rw',
  ].join('\n');
  assert.deepEqual(parseMountTable(Buffer.from(`${text}\n`, 'latin1')), [
    {
      device: '98:0',
      root: '/mnt1',
      mountPoint: '/mnt 2',
      readonly: true,
      shared: true,
      fsType: 'ext3',
      source: '/dev/root\\x',
    },
    {
      device: '0:5',
      root: '/',
      mountPoint: '/café\udcff',
      readonly: false,
      shared: false,
      fsType: 'tmpfs',
      source: 'none',
    },
  ]);
});

test('the mounts of this process', () => {
  assert.ok(readMountTable().some(({ mountPoint, fsType }) => mountPoint === '/proc' && fsType === 'proc'));
});

test('what is mounted at or above a path is found, but for the root', () => {
  const mounts = ['/', '/data', '/data/deep', '/etc/passwd'].map((mountPoint) => ({ mountPoint }));
  for (const [path, point] of [
    ['/etc/group', undefined],
    ['/etc/passwd', '/etc/passwd'],
    ['/data', '/data'],
    ['/data/deep/x', '/data/deep'],
    ['/data/deeper', '/data'],
    ['/database', undefined],
  ] as const)
    assert.equal(mountAround(path, mounts)?.mountPoint, point, path);
});
