import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { createBeneath, withBeneath } from './beneath.ts';
import { readRegularFile } from './regular-file.ts';

const LIMIT = 1024 * 1024;

const refused = (code: string, text: RegExp) => (error: NodeJS.ErrnoException) => {
  assert.equal(error.code, code);
  assert.match(error.message, text);
  return true;
};

test('things that are no files are errors at once, and long files too', async (t) => {
  const root = tempDir(t);
  execFileSync('mkfifo', [join(root, 'pipe')]);
  const server = createServer().listen(join(root, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  t.after(() => server.close());
  mkdirSync(join(root, 'dir'));
  writeFileSync(join(root, 'huge'), '');
  truncateSync(join(root, 'huge'), 2 ** 40);
  writeFileSync(join(root, 'over'), Buffer.alloc(LIMIT + 1));
  writeFileSync(join(root, 'full'), Buffer.alloc(LIMIT));
  symlinkSync('pipe', join(root, 'to-pipe'));
  symlinkSync('/dev/zero', join(root, 'to-zero'));
  symlinkSync('/dev/tty', join(root, 'to-terminal'));
  symlinkSync('loop', join(root, 'loop'));
  for (const [name, code, text] of [
    ['pipe', 'ENOTREG', /it is a named pipe, not a regular file/],
    ['to-pipe', 'ENOTREG', /it is a named pipe/],
    ['socket', 'ENOTREG', /it is a socket/],
    ['dir', 'EISDIR', /it is a directory/],
    ['huge', 'EFBIG', /more than 1048576 bytes/],
    ['over', 'EFBIG', /more than 1048576 bytes/],
    ['loop', 'ELOOP', /ELOOP/],
    ['nothing', 'ENOENT', /ENOENT/],
    ['full/x', 'ENOTDIR', /ENOTDIR/],
  ] as const) {
    assert.throws(() => readRegularFile(join(root, name), { limit: LIMIT }), refused(code, text), name);
    withBeneath(createBeneath(), root, (directory) =>
      assert.throws(() => directory.readFile(name, { limit: LIMIT }), refused(code, text), name),
    );
  }
  for (const name of ['to-zero', 'to-terminal'])
    assert.throws(
      () => readRegularFile(join(root, name), { limit: LIMIT }),
      refused('ENOTREG', /it is a character device/),
    );
  assert.equal(readRegularFile(join(root, 'full'), { limit: LIMIT }).length, LIMIT);
});

test('files without a size are read whole, and no further than the limit', () => {
  assert.match(readRegularFile('/proc/self/status', { limit: LIMIT }).toString(), /^Name:.*\n$/s);
  assert.throws(() => readRegularFile('/proc/self/status', { limit: 10 }), refused('EFBIG', /10 bytes/));
});

test('a file has to lie within one of the directories once its links are followed', (t) => {
  const root = tempDir(t);
  for (const name of ['in', 'other', 'in-not']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'file'), name);
  }
  symlinkSync('../other/file', join(root, 'in/out'));
  symlinkSync(join(root, 'in/file'), join(root, 'in/absolute'));
  symlinkSync('../in-not', join(root, 'in/not'));
  symlinkSync(join(root, 'in'), join(root, 'to-in'));
  const read = (path: string, ...within: string[]): string =>
    readRegularFile(join(root, path), {
      limit: 99,
      within: within.map((each) => join(root, each)),
    }).toString();
  assert.equal(read('in/file', 'in'), 'in');
  assert.equal(read('in/absolute', 'in'), 'in');
  assert.equal(read('in/file', 'to-in'), 'in', 'the directory may be named by a link');
  assert.equal(read('in/out', 'in', 'other'), 'other');
  assert.equal(readRegularFile(join(root, 'in/file'), { limit: 99, within: ['/'] }).toString(), 'in');
  for (const path of ['in/out', 'other/file', 'in/../other/file', 'in/not/file'])
    assert.throws(() => read(path, 'in'), refused('EXDEV', /outside of .*\/in'?/), path);
  assert.throws(() => read('in/file', 'missing'), refused('EXDEV', /outside/));
  assert.throws(
    () => read('in/out', 'in'),
    refused('EXDEV', /it leads to .*\/other\/file, which is outside/),
  );
});

test('a directory that is open for reading is no file either', (t) => {
  const root = tempDir(t);
  const fd = openSync(root, 'r');
  assert.throws(() => readRegularFile(`/proc/self/fd/${fd}`, { limit: 1 }), refused('EISDIR', /directory/));
});
