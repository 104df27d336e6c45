import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { AppError } from '../../core/error.ts';
import { tempDir } from '../../core/testing.ts';
import type { Compression } from '../../layer/types.ts';
import { createSyscalls } from '../../sys/syscalls.ts';
import { extractOnTop } from '../overlay/stack.ts';
import { extractLayers } from './extract.ts';
import { entryOf, fileOf, layerOf, type TestEntry } from './testing.ts';

const sys = createSyscalls();
const dir = (path: string, mode = 0o755): TestEntry => entryOf('dir', path, { mode });
const link = (path: string, linkname: string): TestEntry => entryOf('symlink', path, { linkname });
const hard = (path: string, linkname: string): TestEntry => entryOf('hardlink', path, { linkname });
const bad = (path: string): TestEntry => fileOf(path, 'bad', { mode: 0o4777 });
const gone = (path: string): TestEntry => fileOf(path, '');

/** Stacks of layers that try to get out of the directory; `out` is the way to one beside it, `up` a relative one. */
const STACKS: Readonly<Record<string, (out: string, up: string) => TestEntry[][]>> = {
  'a file below a link of its own layer': (out) => [[link('l', out), bad('l/new')]],
  'a file below a link of a lower layer': (out) => [[link('l', out)], [bad('l/new'), bad('l/secret')]],
  'a file in the place of a link': (out) => [[link('l', `${out}/secret`)], [bad('l')]],
  'a file below a relative link': (_, up) => [[link('l', up)], [bad('l/secret')]],
  'a file below a chain of links': (_, up) => [
    [dir('a'), dir('a/b'), link('a/b/up', '../..'), link('e', `a/b/up/${up}`)],
    [bad('e/secret')],
  ],
  'a directory in the place of a link, and its mode': (out) => [[link('d', out)], [dir('d', 0o4777)]],
  'a link in the place of a directory, and its mode': (out) => [[dir('d', 0o777), link('d', out)]],
  'a link in the place of a directory of a lower layer': (out) => [
    [dir('d', 0o777), bad('d/secret')],
    [link('d', out)],
  ],
  'a hard link to what a link leads to': (out) => [[link('l', out), hard('h', 'l/secret')], [bad('h')]],
  'a hard link to a link': (out) => [[link('l', `${out}/secret`), hard('h', 'l')], [bad('h')]],
  'whiteouts below a link': (out) => [[link('l', out)], [gone('l/.wh.secret'), gone('l/sub/.wh.secret')]],
  'an opaque directory behind a link': (out) => [[link('l', out)], [gone('l/.wh..wh..opq')]],
  'the whiteout of a link': (out) => [[link('l', out)], [gone('.wh.l'), dir('l'), bad('l/secret')]],
  'a whiteout of what is above': () => [[gone('.wh...'), gone('a/.wh...')]],
  'a device and a pipe below a link': (out) => [
    [link('l', out)],
    [entryOf('char', 'l/c', { devmajor: 1, devminor: 5 }), entryOf('fifo', 'l/p')],
  ],
  'attributes of what a link leads to': (out) => [
    [link('l', `${out}/secret`)],
    [
      entryOf('symlink', 'l', {
        linkname: `${out}/secret`,
        xattrs: new Map([['user.x', Buffer.of(1)]]),
        uid: 7,
      }),
    ],
  ],
  'a large file below a link': (out) => [[link('l', out)], [fileOf('l/secret', Buffer.alloc(3 << 20, 1))]],
  'names that are kept aside': (out) => [[link('.wh..wh.kept-0', out)], [bad('.wh..wh.kept-0/secret')]],
};

const seen = (path: string): string =>
  execFileSync('find', [path, '-printf', '%P %y %m %U %s %T@ %C@ %i %n %l\\n'], { encoding: 'utf8' })
    .split('\n')
    .sort()
    .join('\n');

const WAYS: Readonly<Record<string, readonly Compression[]>> = {
  'with tables of contents': ['zstd'],
  streamed: ['gzip', 'none'],
  'streamed below, with a table above': ['gzip', 'zstd'],
};

for (const [way, compressions] of Object.entries(WAYS)) {
  describe(`layers do not leave their directory, ${way}`, () => {
    for (const [name, stackOf] of Object.entries(STACKS))
      test(name, async (t) => {
        const all = tempDir(t);
        const [out, layers] = [join(all, 'outside'), join(all, 'layers')];
        for (const path of [join(out, 'sub'), layers]) mkdirSync(path, { recursive: true });
        for (const path of ['secret', 'sub/secret'])
          writeFileSync(join(out, path), 'outside', { mode: 0o600 });
        const before = seen(out);
        const stack = stackOf(out, '../../outside');
        const blobs = await Promise.all(
          stack.map((entries, at) => layerOf(layers, entries, compressions[at % compressions.length])),
        );
        for (const overlapFrom of [0, Number.MAX_SAFE_INTEGER]) {
          const target = join(all, `in/${overlapFrom}`);
          mkdirSync(target, { recursive: true });
          const request = { layers: blobs, target, privileged: true, emit: () => {} };
          await settled(extractLayers(request, { sys, overlapFrom, inlineBytes: overlapFrom }));
          assert.equal(seen(out), before);
        }
        // On top of a base that lies on the disk already, as overlay mounts have it.
        const [base, top] = [join(all, 'in/base'), join(all, 'in/top')];
        for (const path of [base, top]) mkdirSync(path);
        const extract = (some: typeof blobs, target: string) =>
          extractLayers({ layers: some, target, privileged: true, emit: () => {} }, { sys });
        await settled(extract(blobs.slice(0, 1), base));
        await settled(
          extractOnTop(blobs.slice(1), async () => base, top, {
            syscalls: sys,
            extract: (some, target) => extract(some as typeof blobs, target),
          }),
        );
        assert.equal(seen(out), before);
      });
  });
}

/** It may be refused, in words. */
async function settled(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof AppError, `no error of ours: ${(error as Error).stack}`);
    assert.notEqual(error.code, 'INTERNAL', error.message);
  }
}
