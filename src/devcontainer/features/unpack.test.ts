import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { scratchDir } from '../../core/testing.ts';
import { type ArchiveFile, archiveOf } from './testing.ts';
import { readFromFeature, unpackFeature } from './unpack.ts';

const scratch = scratchDir('unpack');
let count = 0;

async function unpack(
  files: Readonly<Record<string, ArchiveFile>>,
  limits?: { bytes: number; entries: number },
) {
  count += 1;
  const outer = join(scratch, String(count));
  const target = join(outer, 'feature');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(outer, 'canary'), 'outside');
  await unpackFeature(Readable.from([gzipSync(archiveOf(files))]), target, 'the feature "x"', limits);
  return target;
}

describe('unpackFeature', () => {
  it('writes files, directories and links within', async () => {
    const at = await unpack({
      './': { type: 'dir' },
      './install.sh': { content: '#!/bin/sh\n', mode: 0o6755 },
      'lib/deep/a': 'a',
      'lib/b': { type: 'hardlink', linkname: './lib/deep/a' },
      'lib/c': { type: 'symlink', linkname: '../install.sh' },
      'lib/deep': { type: 'dir', mode: 0o700 },
    });
    assert.equal(readFileSync(join(at, 'lib/b'), 'utf8'), 'a');
    assert.equal(readlinkSync(join(at, 'lib/c')), '../install.sh');
    assert.equal(lstatSync(join(at, 'install.sh')).mode & 0o7777, 0o755);
  });

  it('takes the last of several entries of one name', async () => {
    const tar = archiveOf({ a: 'old' });
    count += 1;
    const target = join(scratch, String(count));
    mkdirSync(target);
    const both = Buffer.concat([tar.subarray(0, -1024), archiveOf({ a: 'new' })]);
    await unpackFeature(Readable.from([both]), target, 'x');
    assert.equal(readFileSync(join(target, 'a'), 'utf8'), 'new');
  });

  const hostile: Record<string, Readonly<Record<string, ArchiveFile>>> = {
    'a name with ..': { '../evil': 'x' },
    'a name with .. within': { 'a/../../evil': 'x' },
    'a link out of it': { link: { type: 'symlink', linkname: '../evil' } },
    'an absolute link': { link: { type: 'symlink', linkname: '/etc/passwd' } },
    'a hard link out of it': { link: { type: 'hardlink', linkname: '../evil' } },
    'a hard link to nothing': { link: { type: 'hardlink', linkname: 'missing' } },
    'a hard link to a link': {
      a: { type: 'symlink', linkname: 'b' },
      link: { type: 'hardlink', linkname: 'a' },
    },
    'a file below a link': { a: { type: 'symlink', linkname: 'b' }, 'a/evil': 'x' },
    'a link out of it by way of another': {
      'a/b/c/up': { type: 'symlink', linkname: '../../..' },
      e: { type: 'symlink', linkname: 'a/b/c/up/../evil' },
    },
    'a link out of it by way of a later one': {
      e: { type: 'symlink', linkname: 'a/b/c/up/../evil' },
      'a/b/c/up': { type: 'symlink', linkname: '../../..' },
    },
    'a file by way of links that each stay inside': {
      'a/b/c/up': { type: 'symlink', linkname: '../../..' },
      e: { type: 'symlink', linkname: 'a/b/c/up/..' },
      'e/evil': 'x',
    },
    'a hard link by way of a link': {
      'a/b/up': { type: 'symlink', linkname: '../..' },
      link: { type: 'hardlink', linkname: 'a/b/up/../canary' },
      other: { type: 'hardlink', linkname: 'a/b/up/canary' },
    },
    'a directory whose name a link takes': {
      d: { type: 'dir' },
      'd/a': 'x',
      'd/b/c': { type: 'symlink', linkname: '../../..' },
    },
    'a hard link to a directory': { d: { type: 'dir' }, link: { type: 'hardlink', linkname: 'd' } },
    'a device': { zero: { type: 'char', devmajor: 1, devminor: 5 } },
    'a disk': { disk: { type: 'block', devmajor: 8, devminor: 0 } },
    'a pipe': { pipe: { type: 'fifo' } },
  };
  for (const [name, files] of Object.entries(hostile)) {
    it(`refuses ${name}`, async () => {
      await assert.rejects(unpack(files), { code: 'CORRUPT' });
      assert.deepEqual(readdirSync(join(scratch, String(count))).sort(), ['canary', 'feature']);
      assert.equal(readFileSync(join(scratch, String(count), 'canary'), 'utf8'), 'outside');
      assert.equal(lstatSync(join(scratch, String(count), 'canary')).nlink, 1);
    });
  }

  it('keeps absolute names inside', async () => {
    const at = await unpack({ '/etc/evil': 'x' });
    assert.ok(existsSync(join(at, 'etc/evil')));
  });

  it('refuses too many bytes and too many files', async () => {
    const files = { a: 'aaaa', b: 'bbbb', c: 'c' };
    await assert.rejects(unpack(files, { bytes: 7, entries: 9 }), { code: 'CORRUPT', message: /larger/ });
    await assert.rejects(unpack(files, { bytes: 99, entries: 2 }), { code: 'CORRUPT', message: /larger/ });
    await unpack(files, { bytes: 9, entries: 3 });
  });

  it('refuses what is no archive', async () => {
    const target = mkdtempSync(join(scratch, 'no-'));
    await assert.rejects(unpackFeature(Readable.from([Buffer.alloc(2048, 'x')]), target, 'x'), {
      code: 'CORRUPT',
    });
  });
});

describe('readFromFeature', () => {
  it('finds one file, wherever it stands', async () => {
    const read = (name: string) =>
      readFromFeature(Readable.from([archiveOf({ a: '1', './b': '2', c: '3' })]), name, 'x');
    assert.equal((await read('b'))?.toString(), '2');
    assert.equal(await read('d'), undefined);
  });
});
