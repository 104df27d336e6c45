import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { readLayer } from '../layer/read-layer.ts';
import { createBeneath } from '../sys/beneath.ts';
import { createSyscalls } from '../sys/syscalls.ts';
import { encodeHeader, padding } from '../tar/header.ts';
import type { LayerEntry } from '../tar/types.ts';
import { unpackArchive } from './archive.ts';

type Entry = Partial<LayerEntry> & { readonly path: string; readonly content?: string };

const PLAIN = { mode: 0o666, uid: 7, gid: 8, size: 0, mtime: 5, mtimeNsec: 0, devmajor: 0, devminor: 0 };

function tarOf(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap(({ content = '', ...given }) => {
    const bytes = Buffer.from(content);
    const entry = { ...PLAIN, type: 'file', linkname: '', size: bytes.length, ...given } as LayerEntry;
    return [encodeHeader(entry), bytes, Buffer.alloc(padding(bytes.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Every fact of a directory but times of access. */
const seen = (directory: string): string =>
  execFileSync('find', [directory, '-printf', '%P %y %m %U:%G %n %s %T@ %C@ %i %l\\n'], { encoding: 'utf8' });

interface Place {
  readonly outside: string;
  readonly target: string;
}

function place(t: TestContext): Place {
  const all = tempDir(t);
  const [outside, target] = [join(all, 'outside'), join(all, 'in/to')];
  mkdirSync(join(outside, 'd'), { recursive: true });
  mkdirSync(target, { recursive: true });
  writeFileSync(join(outside, 'canary'), 'outside');
  return { outside, target };
}

async function unpack(
  entries: readonly Entry[],
  target: string,
  owner?: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const syscalls = createSyscalls();
  const directory = createBeneath(syscalls)(target);
  try {
    await unpackArchive(Readable.from([tarOf(entries)]), directory, {
      readLayer,
      syscalls,
      what: 'the archive',
      ...(owner && { owner }),
    });
  } finally {
    directory.close();
  }
}

const facts = (target: string, path: string): number[] => {
  const { mode, uid, gid } = lstatSync(join(target, path));
  return [mode & 0o7777, uid, gid];
};

const link = (path: string, linkname: string): Entry => ({ path, type: 'symlink', linkname });
const file = (path: string, content = 'bad'): Entry => ({ path, content });

/** What an archive does to get out; `outside` is the way there from the directory that it is unpacked into. */
const HOSTILE: Readonly<Record<string, (outside: string, up: string) => Entry[]>> = {
  'a file below an absolute link': (outside) => [link('l', outside), file('l/new')],
  'a file over a link': (outside) => [link('l', `${outside}/canary`), file('l')],
  'a file below a relative link': (_, up) => [link('l', `${up}/outside`), file('l/new')],
  'a file below a chain of links': () => [
    { path: 'a/b/c', type: 'dir' },
    link('a/b/c/up', '../../..'),
    link('e', 'a/b/c/up/../../outside'),
    file('e/new'),
  ],
  'a file deep below a link in the middle': (outside) => [link('a/l', outside), file('a/l/d/e/f')],
  'a hard link to a file outside': (outside) => [
    link('l', outside),
    { path: 'h', type: 'hardlink', linkname: 'l/canary' },
    file('h', 'overwritten'),
  ],
  'a hard link to a link, and a file over it': (outside) => [
    link('l', `${outside}/canary`),
    { path: 'h', type: 'hardlink', linkname: 'l' },
    file('h', 'overwritten'),
  ],
  'the mode of a directory that a link replaces': (outside) => [
    { path: 'd', type: 'dir', mode: 0o777 },
    link('d', `${outside}/d`),
  ],
  'the mode of a directory below one that a link replaces': (outside) => [
    { path: 'a/d', type: 'dir', mode: 0o777 },
    link('a', outside),
  ],
  'the removal of what is below a link': (outside) => [link('a', outside), link('a/canary', 'x')],
  'a directory below a link': (outside) => [link('a', outside), { path: 'a/d', type: 'dir', mode: 0o777 }],
  'a pipe below a link': (outside) => [link('a', outside), { path: 'a/p', type: 'fifo' }],
  'a device below a link': (outside) => [
    link('a', outside),
    { path: 'a/p', type: 'char', devmajor: 1, devminor: 5 },
  ],
  'a name with ..': () => [file('../../outside/new')],
  'a hard link with ..': () => [{ path: 'h', type: 'hardlink', linkname: '../../outside/canary' }],
  'a link to itself': () => [link('l', 'l'), file('l/new')],
};

describe('an archive does not leave its directory', () => {
  for (const [name, entries] of Object.entries(HOSTILE))
    test(name, async (t) => {
      const { outside, target } = place(t);
      const before = seen(outside);
      try {
        await unpack(entries(outside, '../..'), target);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CORRUPT', String(error));
      }
      assert.equal(seen(outside), before);
      assert.equal(readFileSync(join(outside, 'canary'), 'utf8'), 'outside');
    });
});

test('links of an archive lead as if its directory were the root', async (t) => {
  const { target } = place(t);
  await unpack(
    [
      { path: 'usr/lib', type: 'dir', mode: 0o750 },
      link('lib', 'usr/lib'),
      link('usr/up', '../usr'),
      link('absolute', '/usr/lib'),
      link('missing', '/made/here'),
      link('near', 'made/there'),
      file('lib/a', '1'),
      file('usr/up/lib/b', '2'),
      file('absolute/c', '3'),
      file('missing/d', '4'),
      file('near/sub/e', '5'),
      { path: 'h', type: 'hardlink', linkname: 'absolute/a', mode: 0o600 },
    ],
    target,
  );
  const read = (path: string): string => readFileSync(join(target, path), 'utf8');
  const paths = ['usr/lib/a', 'usr/lib/b', 'usr/lib/c', 'made/here/d', 'made/there/sub/e', 'h'];
  assert.deepEqual(paths.map(read), ['1', '2', '3', '4', '5', '1']);
  assert.equal(readlinkSync(join(target, 'lib')), 'usr/lib');
  assert.deepEqual(facts(target, 'usr/lib'), [0o750, 7, 8]);
  assert.equal(lstatSync(join(target, 'usr/lib')).mtimeMs, 5000);
  assert.deepEqual(
    [facts(target, 'made/here'), facts(target, 'h')],
    [
      [0o755, 0, 0],
      [0o600, 7, 8],
    ],
  );
});

/** What an archive may not be, wherever it is unpacked. */
const REFUSED: Readonly<Record<string, Entry[]>> = {
  'a relative link that leads above the root': [link('l', '../x'), file('l/a')],
  'one behind a directory': [{ path: 'd', type: 'dir' }, link('d/l', '../../x'), file('d/l/a')],
  'one before an absolute one': [link('l', '../m'), link('m', '/d'), file('l/a')],
  'a link in the place of a directory, to nothing': [{ path: 'd', type: 'dir' }, link('d', '/x')],
  'a directory that is gone in the end': [{ path: 'd/e', type: 'dir' }, file('d')],
  'a hard link to a directory': [
    { path: 'd', type: 'dir' },
    { path: 'h', type: 'hardlink', linkname: 'd' },
  ],
  'a hard link to itself': [file('h'), { path: 'h', type: 'hardlink', linkname: 'h' }],
};
for (const [name, entries] of Object.entries(REFUSED))
  test(`an archive is refused that has ${name}`, async (t) => {
    await assert.rejects(unpack(entries, place(t).target), { code: 'CORRUPT' });
  });

test('what is there already is kept, merged or replaced', async (t) => {
  const { target } = place(t);
  mkdirSync(join(target, 'usr/bin'), { recursive: true });
  mkdirSync(join(target, 'full/sub'), { recursive: true });
  for (const name of ['usr/bin/sh', 'full/kept', 'full/gone', 'passwd'])
    writeFileSync(join(target, name), name);
  symlinkSync('usr/bin', join(target, 'bin'));
  symlinkSync('/usr', join(target, 'absolute'));
  chownSync(join(target, 'usr'), 12, 13);
  chmodSync(join(target, 'usr'), 0o2711);
  const owner = { uid: 21, gid: 22 };
  await unpack(
    [
      { path: '', type: 'dir', mode: 0o700 },
      file('bin/tool'),
      file('absolute/new/f'),
      { path: 'full', type: 'dir', mode: 0o701 },
      file('full/sub', 'a file'),
      { path: 'full/gone', type: 'dir' },
      { path: 'h', type: 'hardlink', linkname: 'passwd', mode: 0o640 },
      { path: 'old', mtime: -5 },
    ],
    target,
    owner,
  );
  assert.deepEqual(facts(target, '.'), [lstatSync(target).mode & 0o7777, 0, 0]);
  assert.equal(readlinkSync(join(target, 'bin')), 'usr/bin');
  assert.equal(readFileSync(join(target, 'usr/bin/sh'), 'utf8'), 'usr/bin/sh');
  assert.deepEqual(facts(target, 'usr/bin/tool'), [0o666, 21, 22]);
  assert.deepEqual(facts(target, 'usr'), [0o2711, 12, 13]);
  // Its group is that of the directory above, as the kernel has it.
  assert.deepEqual(facts(target, 'usr/new'), [0o755, 0, 13]);
  assert.deepEqual(facts(target, 'full'), [0o701, 21, 22]);
  assert.deepEqual(
    ['full/kept', 'full/sub'].map((path) => readFileSync(join(target, path), 'utf8')),
    ['full/kept', 'a file'],
  );
  assert.ok(lstatSync(join(target, 'full/gone')).isDirectory());
  assert.deepEqual([facts(target, 'passwd'), lstatSync(join(target, 'passwd')).nlink], [[0o640, 21, 22], 2]);
  assert.equal(lstatSync(join(target, 'old')).mtimeMs, 0);
});

test('a later entry takes the place of an earlier one', async (t) => {
  const { target } = place(t);
  await unpack([file('a/x', 'old'), file('a/y', 'old'), file('a', 'now a file')], target);
  assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'now a file');
  await assert.rejects(unpack([file('f', ''), file('f/x', '')], target), { code: 'CORRUPT' });
});

test('where a link takes the place of a directory, what it leads to below the root gets the times', async (t) => {
  const { outside, target } = place(t);
  for (const [i, linkname] of ['/real', 'real', '/up/../real', outside].entries()) {
    const root = join(target, String(i));
    mkdirSync(root);
    const entries = [
      { path: 'real', type: 'dir', mode: 0o755 },
      { path: 'up', type: 'dir', mode: 0o755 },
      { path: outside.slice(1), type: 'dir', mode: 0o755, mtime: 9 },
      { path: 'd', type: 'dir', mode: 0o777, mtime: 7 },
      link('d', linkname),
    ] as const;
    const before = seen(outside);
    await unpack(entries, root);
    const led = linkname === outside ? join(root, outside) : join(root, 'real');
    assert.equal(lstatSync(led).mtimeMs, 7000, linkname);
    assert.equal(seen(outside), before);
  }
});

test('holes of a sparse file take no room', async (t) => {
  const { outside, target } = place(t);
  const size = 50_000_000;
  const made = 'truncate -s "$2" s && printf begin | dd of=s conv=notrunc && tar -S --format=gnu -cf t.tar s';
  execFileSync('sh', ['-c', `cd "$1" && ${made}`, 'sh', outside, String(size)], { stdio: 'ignore' });
  const directory = createBeneath()(target);
  t.after(() => directory.close());
  const stream = Readable.from([readFileSync(join(outside, 't.tar'))]);
  await unpackArchive(stream, directory, { readLayer, syscalls: createSyscalls(), what: 'an archive' });
  assert.ok(readFileSync(join(target, 's')).equals(readFileSync(join(outside, 's'))));
  assert.ok(lstatSync(join(target, 's')).blocks * 512 < size / 10);
});
