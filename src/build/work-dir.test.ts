import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSyscalls } from '../sys/syscalls.ts';
import { createFileLocks } from './file-locks.ts';
import { createWorkDir } from './work-dir.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-work-'));
const syscalls = createSyscalls();
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A directory as a killed build leaves it, with a mount in it. */
function deadBuild(parent: string): string {
  const path = join(parent, 'build-1-dead');
  mkdirSync(join(path, 'mnt'), { recursive: true });
  writeFileSync(`${path}.lock`, '');
  return path;
}

test('a new build removes what a killed one left, its mounts first', () => {
  const parent = join(scratch, 'a');
  const dead = deadBuild(parent);
  const precious = join(scratch, 'precious');
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'kept');
  syscalls.mount(precious, join(dead, 'mnt'), '', 4096);
  const own = createWorkDir(parent, () => syscalls);
  assert.equal(existsSync(dead), false);
  assert.equal(existsSync(`${dead}.lock`), false);
  assert.equal(readFileSync(join(precious, 'file'), 'utf8'), 'kept');
  own.close();
  assert.deepEqual(readdirSync(parent), []);
});

test('a build that is alive, and whatever is not a build, stays', () => {
  const parent = join(scratch, 'b');
  const other = createWorkDir(parent, () => syscalls);
  mkdirSync(join(parent, 'notes'));
  writeFileSync(join(parent, 'notes.lock'), '');
  createWorkDir(parent, () => syscalls).close();
  assert.ok(existsSync(other.path));
  assert.ok(existsSync(join(parent, 'notes')));
  other.close();
});

test('a mount that cannot be taken down keeps its directory', () => {
  const parent = join(scratch, 'c');
  const dead = deadBuild(parent);
  const precious = join(scratch, 'precious-c');
  mkdirSync(precious);
  writeFileSync(join(precious, 'file'), 'kept');
  syscalls.mount(precious, join(dead, 'mnt'), '', 4096);
  const own = createWorkDir(parent, () => ({ ...syscalls, umount: () => {} }));
  assert.ok(existsSync(join(dead, 'mnt/file')));
  own.close();
  syscalls.umount(join(dead, 'mnt'));
});

test('a file lock keeps everybody else out until it is released', async () => {
  const locks = createFileLocks(() => syscalls);
  const path = join(scratch, 'lock');
  const first = locks.tryAcquire(path)!;
  assert.equal(locks.tryAcquire(path), undefined);
  const waiting = locks.acquire(path, new AbortController().signal);
  first();
  (await waiting)();
  const aborted = new AbortController();
  const holder = locks.tryAcquire(path)!;
  const never = locks.acquire(path, aborted.signal);
  aborted.abort();
  await assert.rejects(never);
  holder();
});
