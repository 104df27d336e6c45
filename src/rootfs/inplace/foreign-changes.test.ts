import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSyscalls } from '../../sys/syscalls.ts';
import { createForeignChanges } from './foreign-changes.ts';
import type { ForeignPlace } from './foreign-places.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-foreign-'));
const syscalls = createSyscalls();
let count = 0;
after(() => rmSync(scratch, { recursive: true, force: true }));

const SETUP = `
  mkdir -p vol/dir/deep vol/twin other; echo a >vol/a; echo b >vol/dir/b; echo b >vol/twin/b; echo c >vol/dir/deep/c
  ln -s a vol/link; ln vol/dir/b vol/dir/same; mkdir vol/empty; echo o >other/o`;

/** What a RUN does, in a directory with `vol`, the place, beside `other`; and the path that is then named. */
const CHANGES: readonly (readonly [script: string, path: string])[] = [
  ['echo x >>vol/a', 'vol/a'],
  ['echo z >vol/a; touch -d @1500000000 vol/a', 'vol/a'],
  ['echo x >vol/dir/deep/new', 'vol/dir/deep/new'],
  ['mkdir vol/dir/deep/sub', 'vol/dir/deep'],
  ['mkdir -p vol/n/m', 'vol'],
  ['rm vol/dir/deep/c', 'vol/dir/deep'],
  ['rm -r vol/dir/deep', 'vol/dir'],
  ['rm -r vol/empty', 'vol'],
  ['mv vol/a vol/dir/a', 'vol'],
  ['mv vol/a other/a', 'vol'],
  ['mv other/o vol/o', 'vol/o'],
  ['mv vol/dir other/dir', 'vol'],
  ['mv vol/dir t; mv vol/twin vol/dir; mv t vol/twin', 'vol/dir'],
  ['mv vol/a t; mv vol/dir/b vol/a; mv t vol/dir/b', 'vol/a'],
  ['rm -r vol/empty; ln -s dir vol/empty', 'vol/empty'],
  ['chmod 600 vol/a', 'vol/a'],
  ['chmod 700 vol/dir/deep', 'vol/dir/deep'],
  ['chmod 700 vol', 'vol'],
  ['chown 7:7 vol/dir/deep/c', 'vol/dir/deep/c'],
  ['chown -h 7:7 vol/link', 'vol/link'],
  ['chown 7:7 vol/dir', 'vol/dir'],
  ['touch -d @1500000000 vol/dir/deep/c', 'vol/dir/deep/c'],
  ['ln vol/a other/leak', 'vol/a'],
  ['ln vol/a vol/twin/again', 'vol/a'],
  ['truncate -s 0 vol/dir/deep/c', 'vol/dir/deep/c'],
  ['ln -sfn dir vol/link', 'vol/link'],
  ['mknod vol/pipe p', 'vol/pipe'],
  ['rm vol/a; echo a >vol/a', 'vol/a'],
  ['rm -r vol', 'vol'],
  ['mv vol t; mkdir vol', 'vol'],
];

/** What leaves nothing behind that a layer would hold. */
const NONE = [
  'cat vol/a vol/dir/deep/c; ls -lR vol; find vol',
  'echo x >other/o; mkdir -p other/new; chmod 700 other',
  'echo x >vol/temporary; rm vol/temporary',
  'mkdir -p vol/dir/t/u; echo >vol/dir/t/u/v; rm -r vol/dir/t',
  'touch -d @1500000000 vol/dir vol/empty vol',
  'mv vol/dir/deep vol/dir/x; mv vol/dir/x vol/dir/deep',
  'mkdir vol/dir/1 vol/dir/2 vol/dir/3; rmdir vol/dir/2 vol/dir/1 vol/dir/3',
];

function trial(localClock: boolean): {
  readonly dir: string;
  readonly place: ForeignPlace;
  readonly changed: (script: string, skip?: readonly string[]) => string[];
} {
  count += 1;
  const dir = join(scratch, String(count));
  mkdirSync(dir);
  execFileSync('sh', ['-euc', SETUP], { cwd: dir });
  const changes = createForeignChanges({ syscalls, tickFile: join(scratch, 'tick') });
  const place = { path: join(dir, 'vol'), mounted: true, writable: true, directory: true, localClock };
  return {
    dir,
    place,
    changed: (script, skip = []) => {
      changes.before([place], new Set(skip.map((path) => join(dir, path))), []);
      execFileSync('sh', ['-euc', script], { cwd: dir });
      return changes.after().map(({ path }) => path.slice(dir.length + 1));
    },
  };
}

for (const localClock of [true, false]) {
  const clock = localClock ? 'with our clock' : 'with the clock of a server';
  for (const [script, path] of CHANGES)
    test(`${clock}, a change is noticed: ${script}`, () => {
      const { changed } = trial(localClock);
      assert.deepEqual(changed('true'), []);
      const found = changed(script);
      assert.equal(found.length, 1);
      // Which of several is named depends on the order of names in directories.
      if (localClock) assert.ok(found[0] === path || script.includes('mv'), found[0] ?? 'none');
      // What is noticed once is what the next RUN begins with.
      if (!/mv vol t|rm -r vol$/.test(script)) assert.deepEqual(changed('true'), []);
    });
}
for (const script of NONE)
  test(`nothing is noticed of what leaves nothing behind: ${script}`, () => {
    const { changed } = trial(true);
    assert.deepEqual(changed(script), []);
    assert.deepEqual(changed(script), []);
  });

test('what others change between two steps is no change of a step', () => {
  const { dir, changed } = trial(true);
  assert.deepEqual(changed('true'), []);
  execFileSync('sh', ['-euc', 'echo x >vol/by-others; rm vol/dir/b; chmod 700 vol/twin'], { cwd: dir });
  assert.deepEqual(changed('true'), []);
  assert.deepEqual(changed('echo y >>vol/by-others'), ['vol/by-others']);
});

test('what is skipped is not looked at, and neither is another place', () => {
  const { changed } = trial(true);
  assert.deepEqual(changed('echo x >vol/dir/deep/c; echo x >vol/dir/deep/d', ['vol/dir/deep']), []);
  assert.deepEqual(changed('echo x >vol/a', ['vol']), []);
});

test('a single file is a place', () => {
  const { dir, place } = trial(true);
  const changes = createForeignChanges({ syscalls, tickFile: join(scratch, 'tick') });
  const file = { ...place, path: join(dir, 'vol/a'), directory: false };
  for (const [script, noticed] of [
    ['cat vol/a', false],
    ['echo x >vol/a', true],
    ['chmod 600 vol/a', true],
    ['cat vol/a', false],
    ['rm vol/a', true],
  ] as const) {
    changes.before([file], new Set(), []);
    execFileSync('sh', ['-euc', script], { cwd: dir });
    assert.equal(changes.after().length, noticed ? 1 : 0, script);
  }
});

test('a place that cannot be written to is not looked at', () => {
  const { dir, place } = trial(true);
  const changes = createForeignChanges({ syscalls, tickFile: join(scratch, 'tick') });
  changes.before([{ ...place, writable: false }], new Set(), []);
  execFileSync('sh', ['-euc', 'echo x >vol/a'], { cwd: dir });
  assert.deepEqual(changes.after(), []);
});
