import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { contentOf, copyStored, hasHoles } from './holes.ts';
import { checkHoles, createHoleCount, diskOf, hasRoomForAll } from './room.ts';
import { createSyscalls } from './syscalls.ts';

const MIB = 1024 * 1024;
const syscalls = createSyscalls();

/** Files by where they have data: offsets and lengths, and how long the file is. */
const FILES: Readonly<Record<string, readonly [data: readonly (readonly [number, number])[], size: number]>> =
  {
    'no data': [[], 5 * MIB],
    'no holes': [[[0, 3 * MIB + 7]], 3 * MIB + 7],
    'a hole at its end': [[[0, 10]], 9 * MIB],
    'a hole at its beginning': [[[8 * MIB - 5, 5]], 8 * MIB],
    'holes between': [
      [
        [MIB, 2 * MIB],
        [7 * MIB + 3, 9],
      ],
      11 * MIB + 1,
    ],
    'no bytes': [[], 0],
  };

function made(path: string, [data, size]: (typeof FILES)[string]): void {
  const fd = openSync(path, 'w');
  for (const [offset, length] of data) writeSync(fd, Buffer.alloc(length, 'x'), 0, length, offset);
  ftruncateSync(fd, size);
  closeSync(fd);
}

test('the content of a sparse file is read and copied as it is, and its holes stay holes', (t) => {
  const dir = tempDir(t);
  for (const [name, file] of Object.entries(FILES)) {
    const [path, copy] = [join(dir, 'file'), join(dir, 'copy')];
    made(path, file);
    const [from, to] = [openSync(path, 'r'), openSync(copy, 'w')];
    const [data, size] = file;
    assert.equal(
      hasHoles(from, size, syscalls),
      data.reduce((sum, [, length]) => sum + length, 0) < size,
      name,
    );
    // Each part is in the same memory as the one before.
    const content = contentOf(from, file[1], Buffer.alloc(MIB), syscalls);
    const parts = Array.from(content, (part) => Buffer.from(part));
    assert.ok(Buffer.concat(parts).equals(readFileSync(path)), name);
    copyStored(from, to, file[1], syscalls);
    assert.ok(readFileSync(copy).equals(readFileSync(path)), name);
    assert.ok(fstatSync(to).blocks <= fstatSync(from).blocks, name);
    for (const fd of [from, to]) closeSync(fd);
  }
});

/** A disk of 8 MiB. */
function withDisk(dir: string, use: () => void): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', dir]);
  try {
    use();
  } finally {
    execFileSync('umount', [dir]);
  }
}

const root = { skip: process.getuid?.() !== 0 && 'needs root' };
const coded = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

test('holes of files count together as if they were written, and what is stored does not', root, (t) => {
  const [disk, files] = [tempDir(t), tempDir(t)];
  const file = (name: string, size: number) => ({
    path: name,
    size,
    open: () => {
      const fd = openSync(join(files, name), 'a+');
      truncateSync(join(files, name), size);
      return fd;
    },
  });
  const check = (sizes: readonly number[]): void =>
    checkHoles(
      sizes.map((size, i) => file(`f${i}`, size)),
      { what: 'the context', disk, syscalls },
    );
  withDisk(disk, () => {
    check([3 * MIB, 3 * MIB]);
    assert.throws(() => check([3 * MIB, 3 * MIB, 3 * MIB]), coded('DISK_FULL'));
    assert.throws(
      () => check([2 ** 40]),
      /the context: "f0" has 1.1 TB, 1.1 TB of them holes; 8.4 MB are free/,
    );
    made(join(files, 'stored'), [[[0, 20 * MIB]], 20 * MIB]);
    checkHoles([{ path: 'stored', size: 20 * MIB, open: () => openSync(join(files, 'stored'), 'r') }], {
      what: 'the context',
      disk,
      syscalls,
    });
    assert.ok(hasRoomForAll(8 * MIB, disk) && !hasRoomForAll(9 * MIB, disk));
    assert.equal(diskOf(join(disk, 'not/there/yet')).size, 8 * MIB);
  });
});

test('holes of an archive count together, and what no disk could hold is damaged', root, (t) => {
  const disk = tempDir(t);
  withDisk(disk, () => {
    const entry = (holes: number, size = holes) => ({ path: 'f', size, holes });
    const count = createHoleCount('an archive', disk);
    for (const each of [entry(3 * MIB), entry(0, 2 ** 40), entry(4 * MIB)]) count(each);
    const written = openSync(join(disk, 'written'), 'w');
    writeSync(written, Buffer.alloc(MIB));
    closeSync(written);
    assert.throws(() => count(entry(MIB)), coded('DISK_FULL'));
    assert.throws(() => createHoleCount('an archive', disk)(entry(9 * MIB)), coded('CORRUPT'));
  });
});
