import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '../../core/testing.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { removeDeadBuilds, secretsDir } from './dead-builds.ts';
import { createFileLocks } from './file-locks.ts';
import { startSweep } from './start-sweep.ts';
import { createWorkDir, type WorkDir, type WorkDirDeps } from './work-dir.ts';

const BIND = 4096;
const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-work-'));
const syscalls = createSyscalls();
const here: WorkDirDeps = { syscalls: () => syscalls };
/** Hands everything over at once. */
const elsewhere: WorkDirDeps = { ...here, sweep: startSweep, patience: 0 };
after(() => rmSync(scratch, { recursive: true, force: true }));

const freshDir = (): string => mkdtempSync(join(scratch, 'd-'));

/** A directory as a killed build leaves it. */
function deadBuild(parent: string, name = 'build-1-dead'): string {
  const path = join(parent, name);
  mkdirSync(join(path, 'mnt'), { recursive: true });
  writeFileSync(`${path}.lock`, '');
  return path;
}

/** A directory that must keep its file. */
function preciousDir(): string {
  const path = freshDir();
  writeFileSync(join(path, 'file'), 'kept');
  return path;
}

const assertKept = (path: string): void => assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'kept');

function fill({ path }: WorkDir): void {
  for (let i = 0; i < 20; i += 1) {
    mkdirSync(join(path, `d${i}`));
    writeFileSync(join(path, `d${i}/file`), 'x');
  }
}

const isEmpty = (path: string) => (): boolean => readdirSync(path).length === 0;

test('a new build removes what a killed one left, its mounts first', () => {
  const parent = freshDir();
  const dead = deadBuild(parent);
  const precious = preciousDir();
  syscalls.mount(precious, join(dead, 'mnt'), '', BIND);
  const own = createWorkDir(parent, here);
  assert.equal(existsSync(dead), false);
  assert.equal(existsSync(`${dead}.lock`), false);
  assertKept(precious);
  own.close();
  assert.deepEqual(readdirSync(parent), []);
});

test('mounts are found in a directory that is named through a symlink', () => {
  const parent = freshDir();
  const dead = deadBuild(parent);
  const precious = preciousDir();
  syscalls.mount(precious, join(dead, 'mnt'), '', BIND);
  const link = join(scratch, 'link');
  symlinkSync(parent, link);
  createWorkDir(link, here).close();
  assertKept(precious);
  assert.deepEqual(readdirSync(parent), []);
});

test('a build that is alive, and whatever is not a build, stays', () => {
  const parent = freshDir();
  const other = createWorkDir(parent, here);
  mkdirSync(join(parent, 'notes'));
  writeFileSync(join(parent, 'notes.lock'), '');
  createWorkDir(parent, here).close();
  assert.ok(existsSync(other.path));
  assert.ok(existsSync(join(parent, 'notes')));
  other.close();
});

test('each build is told apart from others by ext4', () => {
  const parent = freshDir();
  const spread: string[] = [];
  const telling = { ...syscalls, spreadDirectories: (path: string) => spread.push(path) > 0 };
  const made = createWorkDir(parent, { syscalls: () => telling });
  assert.deepEqual(spread, [made.path]);
  made.close();
});

test('a mount that cannot be taken down keeps its directory', () => {
  const parent = freshDir();
  const dead = deadBuild(parent);
  const precious = preciousDir();
  syscalls.mount(precious, join(dead, 'mnt'), '', BIND);
  const stubborn = { syscalls: () => ({ ...syscalls, umount: () => {} }) };
  const own = createWorkDir(parent, stubborn);
  assert.ok(existsSync(join(dead, 'mnt/file')));
  own.close();
  const other = createWorkDir(parent, { ...stubborn, sweep: startSweep });
  mkdirSync(join(other.path, 'mnt'));
  syscalls.mount(precious, join(other.path, 'mnt'), '', BIND);
  assert.throws(() => other.close(), { code: 'OUTPUT', message: /working directory/ });
  assertKept(precious);
  syscalls.umount(join(other.path, 'mnt'));
});

test('symlinks are deleted, and not what they lead to', () => {
  const parent = freshDir();
  const precious = preciousDir();
  symlinkSync(precious, join(deadBuild(parent), 'mnt/out'));
  writeFileSync(join(parent, 'build-2-swapped.lock'), '');
  symlinkSync(precious, join(parent, 'build-2-swapped'));
  const own = createWorkDir(parent, { ...here, sweep: () => undefined });
  symlinkSync(precious, join(own.path, 'out'));
  own.close();
  assert.deepEqual(readdirSync(parent), []);
  const swapped = createWorkDir(parent, { ...here, sweep: startSweep, patience: 10_000 });
  renameSync(swapped.path, join(parent, 'away'));
  symlinkSync(precious, swapped.path);
  swapped.close();
  assert.deepEqual(readdirSync(parent), ['away']);
  assertKept(precious);
});

test('what takes longer is deleted by a process that goes on, what is short by none', async () => {
  const parent = freshDir();
  const own = createWorkDir(parent, elsewhere);
  fill(own);
  own.close();
  await until('the directory is empty', isEmpty(parent));
  const short = createWorkDir(parent, { ...here, sweep: () => assert.fail('started'), patience: 10_000 });
  fill(short);
  short.close();
  assert.deepEqual(readdirSync(parent), []);
});

test('what cannot be handed over is deleted at once', () => {
  const parent = freshDir();
  const dead = deadBuild(parent);
  const own = createWorkDir(parent, { ...elsewhere, sweep: () => undefined });
  assert.equal(existsSync(dead), false);
  fill(own);
  own.close();
  assert.deepEqual(readdirSync(parent), []);
});

test('secrets are deleted at once, whoever deletes the rest', () => {
  const parent = freshDir();
  const idle: WorkDirDeps = { ...elsewhere, sweep: () => 1 };
  const own = createWorkDir(parent, idle);
  fill(own);
  mkdirSync(secretsDir(own.path));
  own.close();
  assert.equal(existsSync(secretsDir(own.path)), false);
  assert.ok(existsSync(own.path));
  mkdirSync(secretsDir(own.path));
  const next = createWorkDir(parent, idle);
  assert.equal(existsSync(secretsDir(own.path)), false);
  next.close();
});

test('several that sweep at once leave nothing but builds that are alive', async () => {
  const parent = freshDir();
  const builds = Array.from({ length: 6 }, () => createWorkDir(parent, elsewhere));
  for (const build of builds) fill(build);
  const dead = ['build-1-a', 'build-1-b', 'build-1-c'].map((name) => deadBuild(parent, name));
  const [alive, ...others] = builds;
  for (const build of others) build.close();
  const late = createWorkDir(parent, elsewhere);
  await until('all of it is gone', () =>
    [...dead, ...others.map(({ path }) => path)].every((path) => !existsSync(`${path}.lock`)),
  );
  assert.equal(readdirSync(alive!.path).length, 20);
  assert.ok(existsSync(late.path));
  for (const build of [alive!, late]) build.close();
  await until('the last ones are gone', isEmpty(parent));
});

test('remains that cannot be deleted keep nobody from the others', () => {
  const parent = freshDir();
  const [a, b, c] = ['build-1-a', 'build-1-b', 'build-1-c'].map((name) => deadBuild(parent, name));
  const broken = {
    ...syscalls,
    umount: () => {
      throw new Error('no');
    },
  };
  syscalls.mount(preciousDir(), join(b!, 'mnt'), '', BIND);
  removeDeadBuilds(parent, () => broken);
  assert.deepEqual(
    [a, b, c].map((path) => existsSync(path!)),
    [false, true, false],
  );
  removeDeadBuilds(parent, () => syscalls);
  assert.deepEqual(readdirSync(parent), []);
});

test('the process that sweeps has nothing of ours, and everything else goes before it', async () => {
  const parent = freshDir();
  const own = createWorkDir(parent, here);
  process.env.A_SECRET = 'secret';
  const seen = lookAtSweep(parent);
  delete process.env.A_SECRET;
  assert.match(seen.environment, /^(NODE_COMPILE_CACHE=[^\0]*\0)?$/);
  assert.equal(seen.directory, '/');
  assert.equal(seen.nice, 19);
  assert.equal(seen.session, seen.pid);
  assert.deepEqual(
    seen.files.filter((file) => file.startsWith(scratch)),
    [],
  );
  assert.deepEqual(seen.files.slice(0, 3), ['/dev/null', '/dev/null', '/dev/null']);
  process.kill(seen.pid, 'SIGCONT');
  await until('it has ended', () => !existsSync(`/proc/${seen.pid}`));
  assert.ok(existsSync(own.path));
  own.close();
});

interface Seen {
  readonly pid: number;
  readonly environment: string;
  readonly directory: string;
  readonly nice: number;
  readonly session: number;
  readonly files: readonly string[];
}

/** What /proc tells of a process that sweeps, which is stopped; it may be over sooner, and then there is another one. */
function lookAtSweep(parent: string): Seen {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const pid = startSweep(parent)!;
    process.kill(pid, 'SIGSTOP');
    const state = (): string[] => readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
    while (!['T', 'Z'].includes(state()[0]!));
    const fields = state();
    if (fields[0] === 'Z') continue;
    const fds = readdirSync(`/proc/${pid}/fd`).sort((a, b) => Number(a) - Number(b));
    return {
      pid,
      environment: readFileSync(`/proc/${pid}/environ`, 'utf8'),
      directory: readlinkSync(`/proc/${pid}/cwd`),
      session: Number(fields[3]),
      nice: Number(fields[16]),
      files: fds.map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`)),
    };
  }
  throw new Error('every one was over too soon');
}

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

test('a lock is that of the file which is there, and none is made to look for it', () => {
  const path = join(scratch, 'deleted-lock');
  let deletions = 1;
  const tryLock = (fd: number): boolean => {
    const taken = syscalls.tryLock(fd);
    if (deletions > 0) rmSync(path);
    deletions -= 1;
    return taken;
  };
  const locks = createFileLocks(() => ({ tryLock }));
  assert.equal(locks.tryAcquire(path, 'if there'), undefined);
  assert.equal(existsSync(path), false);
  const release = locks.tryAcquire(path)!;
  assert.equal(statSync(path).size, 0);
  assert.equal(locks.tryAcquire(path), undefined);
  release();
  locks.tryAcquire(path, 'if there')!();
  deletions = 1;
  assert.equal(locks.tryAcquire(path, 'if there'), undefined);
});
