import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { MountEntry } from '../../sys/mount-table.ts';
import { foreignPlaces } from './foreign-places.ts';
import { findPlaces } from './found-places.ts';

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'envbuilder-places-')));
after(() => rmSync(scratch, { recursive: true, force: true }));

const mountAt = (mountPoint: string, more: Partial<MountEntry> = {}): MountEntry => ({
  device: '8:1',
  root: '/',
  mountPoint,
  readonly: false,
  shared: false,
  fsType: 'ext4',
  source: '/dev/sda1',
  ...more,
});

test('mounts and kept paths are foreign, each under one name', () => {
  execFileSync('sh', [
    '-euc',
    `cd "$1" && mkdir -p vol/kept vol/nested ro nfs kept/below own/state && touch file && mkfifo pipe && ln -s kept link`,
    'sh',
    scratch,
  ]);
  const at = (name: string): string => join(scratch, name);
  const mounts = [
    mountAt('/', { fsType: 'overlay' }),
    mountAt('/proc', { fsType: 'proc' }),
    mountAt('/dev/shm', { fsType: 'tmpfs' }),
    mountAt('/sys/firmware'),
    mountAt(at('vol')),
    mountAt(at('vol/nested'), { fsType: 'tmpfs' }),
    mountAt(at('ro'), { readonly: true }),
    mountAt(at('nfs'), { fsType: 'nfs4' }),
    mountAt(at('file')),
    mountAt(at('pipe')),
    mountAt(at('own/state')),
    mountAt(at('gone')),
  ];
  const keep = ['vol/kept', 'kept', 'kept/below', 'link', 'none', 'kept'].map(at);
  const found = foreignPlaces([...keep, '/', '/dev/x'], [at('own')], mounts).map(({ path, ...place }) => [
    path.slice(scratch.length + 1),
    Object.entries(place)
      .filter(([, is]) => is)
      .map(([name]) => name)
      .join(' '),
  ]);
  assert.deepEqual(Object.fromEntries(found), {
    vol: 'mounted writable directory localClock',
    'vol/nested': 'mounted writable directory localClock',
    ro: 'mounted directory localClock',
    nfs: 'mounted writable directory',
    file: 'mounted writable localClock',
    kept: 'writable directory localClock',
  });
});

test('a command that would have made a place is told by its words, or by a home', () => {
  const place = { path: '/home/dev', mounted: true, writable: true, directory: true, localClock: true };
  const image = join(scratch, 'image');
  const found = (script: string, env: Record<string, string> = {}, setup = ''): boolean => {
    rmSync(image, { recursive: true, force: true });
    mkdirSync(image);
    execFileSync('sh', ['-euc', setup || 'true'], { cwd: image });
    return findPlaces(image, [place], { argv: ['/bin/sh', '-c', script], env }).after().length > 0;
  };
  for (const script of [
    'mkdir -p /home/dev',
    'mkdir -p /home/dev/ && touch /x',
    'set -e; mkdir -p "/home/dev"; echo',
    'mkdir -p /opt /home/dev;',
    'mkdir -p /home',
    'install -d -o dev /home/dev',
  ])
    assert.equal(found(script), true, script);
  assert.equal(found('mkdir -p $HOME', { HOME: '/home/dev' }), true, 'by a variable');
  for (const script of [
    'mkdir -p /home/device',
    'mkdir -p /home/dev.d /home/other',
    'mkdir -p /home/dev/below',
    'echo /home/dev',
    'git config --system safe.directory /home/dev',
  ])
    assert.equal(found(script), false, script);
  assert.equal(found('mkdir -p /home/dev', {}, 'mkdir -p home/dev'), false, 'the image has it');
  assert.equal(found('mkdir -p /home/dev', {}, 'mkdir -p home usr/dev; ln -s /usr/dev home/dev'), false);
  assert.equal(found('mkdir -p /home', {}, 'mkdir home'), false, 'the image has that one');
  assert.equal(found('mkdir -p /home/dev', {}, 'mkdir home'), true);
});
