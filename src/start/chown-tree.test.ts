import assert from 'node:assert/strict';
import { chownSync, lchownSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { MNT_DETACH, MS } from '../sys/constants.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { chownTree } from './chown-tree.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const user = { uid: 1234, gid: 5678 };

test('everything of a tree, and only what differs', { skip }, async (t) => {
  const dir = tempDir(t);
  const outside = join(tempDir(t), 'outside');
  writeFileSync(outside, '');
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  writeFileSync(join(dir, 'a/b/file'), '');
  symlinkSync(outside, join(dir, 'a/link'));
  symlinkSync('/nowhere', join(dir, 'dangling'));
  writeFileSync(Buffer.concat([Buffer.from(`${dir}/odd-`), Buffer.of(0xff)]), '');
  chownSync(join(dir, 'a/b'), user.uid, user.gid);
  const before = lstatSync(join(dir, 'a/b'), { bigint: true }).ctimeNs;
  assert.equal(await chownTree(dir, user), 6);
  for (const path of ['', 'a', 'a/b', 'a/b/file', 'a/link', 'dangling']) {
    assert.deepEqual([lstatSync(join(dir, path)).uid, lstatSync(join(dir, path)).gid], [1234, 5678], path);
  }
  assert.equal(lstatSync(outside).uid, 0, 'what a symlink points to is not touched');
  assert.equal(lstatSync(join(dir, 'a/b'), { bigint: true }).ctimeNs, before, 'not even its ctime');
  assert.equal(await chownTree(dir, user), 0);
});

test('mounts below are left alone, a mount that is asked for is not', { skip }, async (t) => {
  const dir = tempDir(t);
  const sys = createSyscalls();
  mkdirSync(join(dir, 'source/inner'), { recursive: true });
  mkdirSync(join(dir, 'root/mounted here'), { recursive: true });
  const target = join(dir, 'root/mounted here');
  sys.mount(join(dir, 'source'), target, '', MS.BIND);
  try {
    assert.equal(await chownTree(join(dir, 'root'), user), 1);
    assert.equal(lstatSync(join(dir, 'source')).uid, 0);
    assert.equal(await chownTree(target, user), 2);
    assert.equal(lstatSync(join(dir, 'source/inner')).uid, 1234);
  } finally {
    sys.umount(target, MNT_DETACH);
  }
});

test('a root that is not there, or is a symlink', { skip }, async (t) => {
  const dir = tempDir(t);
  assert.equal(await chownTree(join(dir, 'missing'), user), 0);
  mkdirSync(join(dir, 'real/sub'), { recursive: true });
  symlinkSync('real', join(dir, 'link'));
  lchownSync(join(dir, 'link'), 0, 0);
  assert.equal(await chownTree(join(dir, 'link'), user), 1);
  assert.equal(lstatSync(join(dir, 'real/sub')).uid, 0);
});

test('of what is root’s alone: others keep what is theirs, and groups stay', { skip }, async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a/theirs'), { recursive: true });
  for (const path of ['a/mine', 'a/theirs/mine', 'a/group', 'a/file']) writeFileSync(join(dir, path), '');
  chownSync(join(dir, 'a/theirs'), 77, 0);
  chownSync(join(dir, 'a/group'), 0, 88);
  chownSync(join(dir, 'a/file'), 99, 99);
  assert.equal(await chownTree(dir, user, { onlyRoots: true }), 5);
  const owners = ['', 'a', 'a/theirs', 'a/theirs/mine', 'a/mine', 'a/group', 'a/file'].map((path) => {
    const { uid, gid } = lstatSync(join(dir, path));
    return `${path} ${uid}:${gid}`;
  });
  assert.deepEqual(owners, [
    ' 1234:5678',
    'a 1234:5678',
    'a/theirs 77:0',
    'a/theirs/mine 1234:5678',
    'a/mine 1234:5678',
    'a/group 1234:88',
    'a/file 99:99',
  ]);
});

test('a directory is given after all that is in it', { skip }, async (t) => {
  const dir = tempDir(t);
  mkdirSync(join(dir, 'a/b'), { recursive: true });
  writeFileSync(join(dir, 'a/b/file'), '');
  await chownTree(dir, user);
  const times = ['a/b/file', 'a/b', 'a', ''].map(
    (path) => lstatSync(join(dir, path), { bigint: true }).ctimeNs,
  );
  assert.deepEqual(
    times,
    times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)),
  );
});
