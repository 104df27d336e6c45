import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { readLayer } from '../layer/read-layer.ts';
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

const unpack = (entries: readonly Entry[], target: string): Promise<void> =>
  unpackArchive(Readable.from([tarOf(entries)]), target, {
    readLayer,
    syscalls: createSyscalls(),
    what: 'the archive',
  });

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
      link('usr/up', '../../../usr'),
      link('absolute', '/usr/lib'),
      file('lib/a', '1'),
      file('usr/up/lib/b', '2'),
      file('absolute/c', '3'),
      { path: 'h', type: 'hardlink', linkname: 'lib/a' },
    ],
    target,
  );
  const read = (path: string): string => readFileSync(join(target, path), 'utf8');
  assert.deepEqual(
    [read('usr/lib/a'), read('usr/lib/b'), read('usr/lib/c'), read('h')],
    ['1', '2', '3', '1'],
  );
  assert.equal(readlinkSync(join(target, 'lib')), 'usr/lib');
  const { mode, uid, gid, mtimeMs } = lstatSync(join(target, 'usr/lib'));
  assert.deepEqual([mode & 0o7777, uid, gid, mtimeMs], [0o750, 7, 8, 5000]);
});

test('a later entry takes the place of an earlier one', async (t) => {
  const { target } = place(t);
  await unpack([file('a/x', 'old'), file('a/y', 'old'), file('a', 'now a file')], target);
  assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'now a file');
  await assert.rejects(unpack([file('f', ''), file('f/x', '')], target), { code: 'CORRUPT' });
});
