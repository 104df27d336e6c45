import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDirectories } from './make-directories.ts';

test('directories are made, those that are there stay, and what is in the way is an error', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'make-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const at = (name: string): string => join(dir, name);
  makeDirectories(at('a/b/c'), 0o700);
  assert.equal(statSync(at('a/b')).mode & 0o777, 0o700);
  makeDirectories(at('a/b/c'));
  makeDirectories('/');
  symlinkSync('a', at('link'));
  makeDirectories(at('link/new'));
  assert.ok(existsSync(at('a/new')));
  writeFileSync(at('file'), '');
  symlinkSync('none', at('dangling'));
  for (const path of [at('file'), at('file/x'), at('file/x/y'), '/dev/null/x', '/dev/null/x/y'])
    assert.throws(() => makeDirectories(path), { code: 'ENOTDIR' }, path);
  assert.throws(() => makeDirectories(at('dangling')), { code: 'EEXIST' });
});

test('it ends where the kernel makes no directories', () => {
  for (const path of ['/proc/x', '/proc/x/y/z', '/proc/self/x/y'])
    assert.throws(() => makeDirectories(path), /ENOENT|EACCES|EPERM|EROFS/, path);
});
