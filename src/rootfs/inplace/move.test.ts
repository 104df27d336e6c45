import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { removeTree } from '../../sys/remove-tree.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { describeTree } from '../describe-tree.ts';
import { createLookup, readTable } from '../trees/table.ts';
import { type Arrivals, clearDirectory, moveIn, moveOut } from './move.ts';
import { createPins, type Pins } from './pins.ts';
import { placeStandIns } from './stand-ins.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-move-'));
const deps = { syscalls: createSyscalls() };
let count = 0;
after(() => rmSync(scratch, { recursive: true, force: true }));

/** A root with things that stay, and a tree to take its place. */
function layOut(root: string, tree: string): { root: string; tree: string } {
  count += 1;
  const [a, b] = [join(scratch, `root${count}`), join(scratch, `tree${count}`)];
  for (const [dir, script] of [
    [a, root],
    [b, tree],
  ] as const) {
    mkdirSync(dir);
    execFileSync('sh', ['-euc', script], { cwd: dir });
  }
  return { root: a, tree: b };
}

const describe = (dir: string) =>
  describeTree(dir)
    .filter(({ path }) => path !== '')
    .map(({ first, ...rest }) => ({ ...rest, first: first === rest.path ? '' : first }));

function enter(root: string, tree: string, pins: Pins) {
  const arrivals: Arrivals = new Map();
  const behind = new Map<string, Pins>();
  clearDirectory(root, pins);
  moveIn({ from: tree, to: root, pins, prefix: '' }, arrivals, behind, deps);
  return { arrivals, behind };
}

test('a tree goes in and comes out as it was, and what is kept never moves', () => {
  const { root, tree } = layOut(
    'mkdir -p etc ws/p old usr/lib; echo host >etc/hosts; echo mine >ws/p/f; echo gpu >usr/lib/gpu.so; echo x >old/x',
    `mkdir -p etc ws usr/lib bin; echo image >etc/hosts; echo root >etc/passwd; ln etc/passwd bin/linked
     echo image >ws/x; echo lib >usr/lib/libc; chmod 750 etc; chmod 1777 usr; ln -s usr/lib lib
     touch -d @1500000000.25 etc usr usr/lib ws bin etc/hosts`,
  );
  const pins = createPins(['/etc/hosts', '/ws/p', '/usr/lib/gpu.so']);
  const before = describe(tree);
  const table = readTable(deps.syscalls, tree);
  const { arrivals } = enter(root, tree, pins);
  const inRoot = Object.fromEntries(describe(root).map((entry) => [entry.path, entry]));
  assert.deepEqual(
    Object.keys(inRoot).filter((path) => path.startsWith('old')),
    [],
  );
  assert.equal(inRoot['etc/passwd']!.first, 'bin/linked');
  assert.deepEqual([inRoot.etc!.mode, inRoot.etc!.mtime], [0o750, 1_500_000_000_250_000_000n]);
  assert.equal(inRoot['etc/hosts']!.size, 'host\n'.length);
  assert.ok(inRoot['ws/p/f'] && inRoot['usr/lib/gpu.so'] && inRoot['usr/lib/libc'] && inRoot['ws/x']);
  moveOut({ from: root, to: tree, pins, prefix: '' }, arrivals, createLookup(table), deps);
  assert.deepEqual(describe(tree), before);
  const moved = createLookup(readTable(deps.syscalls, tree));
  const find = createLookup(table);
  let compared = 0;
  for (const { path } of before) {
    const stat = lstatSync(join(tree, path));
    if (stat.isDirectory() || stat.nlink > 1) continue;
    assert.deepEqual(moved(path)!.facts, find(path)!.facts, path);
    compared += 1;
  }
  assert.ok(compared > 0);
  assert.deepEqual(readdirSync(root, { recursive: true }).sort(), [
    'etc',
    'etc/hosts',
    'usr',
    'usr/lib',
    'usr/lib/gpu.so',
    'ws',
    'ws/p',
    'ws/p/f',
  ]);
});

test('a directory that is there only for a mount becomes part of the tree when something is put into it', () => {
  const { root, tree } = layOut('mkdir -p run/secrets opt/m', 'mkdir bin');
  const pins = createPins(['/run/secrets', '/opt/m']);
  const { arrivals } = enter(root, tree, pins);
  writeFileSync(join(root, 'run/pid'), '1');
  moveOut({ from: root, to: tree, pins, prefix: '' }, arrivals, () => undefined, deps);
  assert.deepEqual(readdirSync(tree, { recursive: true }).sort(), ['bin', 'run', 'run/pid']);
});

test('where a mount needs a directory and the tree has a symlink, symlinks stand for what it leads to', () => {
  const { root, tree } = layOut(
    'mkdir -p lib/modules/6.1 lib/deep/mounted; echo ko >lib/modules/6.1/a.ko',
    'mkdir -p usr/lib/deep; ln -s usr/lib lib; for f in keep change remove; do echo $f >usr/lib/$f; done; echo d >usr/lib/deep/file',
  );
  const pins = createPins(['/lib/modules', '/lib/deep/mounted']);
  const before = describe(tree);
  const { arrivals, behind } = enter(root, tree, pins);
  assert.deepEqual([...behind.keys()], ['lib']);
  const standIns = placeStandIns(root, behind, (path) => join(tree, path));
  assert.equal(readlinkSync(join(root, 'lib/keep')), join(root, 'usr/lib/keep'));
  assert.equal(readlinkSync(join(root, 'lib/deep/file')), join(root, 'usr/lib/deep/file'));
  execFileSync('sh', ['-euc', 'rm lib/remove; echo new >lib/added; echo new >lib/t; mv lib/t lib/change'], {
    cwd: root,
  });
  standIns.remove();
  moveOut({ from: root, to: tree, pins, prefix: '' }, arrivals, () => undefined, deps);
  const now = describe(tree);
  assert.deepEqual(
    now.map(({ path }) => path).filter((path) => path.startsWith('usr/lib/')),
    ['usr/lib/added', 'usr/lib/change', 'usr/lib/deep', 'usr/lib/deep/file', 'usr/lib/keep'],
  );
  assert.equal(now.find(({ path }) => path === 'usr/lib/change')!.size, 4);
  assert.equal(now.find(({ path }) => path === 'lib')!.link, before.find(({ path }) => path === 'lib')!.link);
  assert.equal(existsSync(join(root, 'lib/modules/6.1/a.ko')), true);
});

test('nothing on another file system is deleted, mounted before or after the pins were read', () => {
  const { root } = layOut('mkdir -p a/b c; echo x >a/f; echo y >c/f', '');
  execFileSync('mount', ['-t', 'tmpfs', 'canary', join(root, 'a/b')]);
  try {
    writeFileSync(join(root, 'a/b/canary'), 'alive');
    assert.throws(() => clearDirectory(root, createPins([])), { code: 'EXDEV' });
    assert.throws(() => removeTree(join(root, 'a'), { dev: lstatSync(root).dev }), { code: 'EXDEV' });
    assert.equal(existsSync(join(root, 'a/b/canary')), true);
    clearDirectory(root, createPins(['/a/b']));
    assert.deepEqual(readdirSync(root, { recursive: true }).sort(), ['a', 'a/b', 'a/b/canary']);
  } finally {
    execFileSync('umount', [join(root, 'a/b')]);
  }
});
