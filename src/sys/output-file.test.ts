import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { removeOutputFile, writeOutputFile, writeOutputText } from './output-file.ts';

function scratch(t: TestContext): (name: string) => string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'output-')));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return (name) => join(dir, name);
}

const code = (name: string) => (error: unknown) => (error as NodeJS.ErrnoException).code === name;

test('a regular file is replaced as a whole, with its permissions, and nothing is left beside it', async (t) => {
  const at = scratch(t);
  writeFileSync(at('file'), 'old, and longer than the new one', { mode: 0o640 });
  const { ino } = statSync(at('file'));
  await writeOutputText(at('file'), 'new');
  assert.equal(readFileSync(at('file'), 'utf8'), 'new');
  assert.notEqual(statSync(at('file')).ino, ino);
  assert.equal(statSync(at('file')).mode & 0o777, 0o640);
  await writeOutputText(at('deep/er/script'), '#!/bin/sh\n', { mode: 0o755, parents: true });
  assert.equal(statSync(at('deep/er/script')).mode & 0o777, 0o755);
  assert.deepEqual(readdirSync(at('.')).sort(), ['deep', 'file']);
});

test('a failure leaves what was there', async (t) => {
  const at = scratch(t);
  writeFileSync(at('file'), 'old');
  const write = async (): Promise<void> => {
    throw new Error('no');
  };
  await assert.rejects(writeOutputFile(at('file'), write), /no/);
  await assert.rejects(writeOutputFile(at('new'), write), /no/);
  assert.deepEqual(readdirSync(at('.')), ['file']);
  assert.equal(readFileSync(at('file'), 'utf8'), 'old');
});

test('symlinks are followed and stay, also one that leads to nothing yet', async (t) => {
  const at = scratch(t);
  mkdirSync(at('d'));
  writeFileSync(at('d/file'), 'old');
  symlinkSync('d', at('dir'));
  symlinkSync('dir/file', at('one'));
  symlinkSync(at('one'), at('two'));
  symlinkSync('d/none', at('dangling'));
  await writeOutputText(at('two'), 'new');
  await writeOutputText(at('dangling'), 'made');
  assert.equal(readFileSync(at('d/file'), 'utf8'), 'new');
  assert.equal(readFileSync(at('d/none'), 'utf8'), 'made');
  for (const name of ['one', 'two', 'dangling']) assert.ok(lstatSync(at(name)).isSymbolicLink(), name);
  symlinkSync('loop', at('loop'));
  await assert.rejects(writeOutputText(at('loop'), 'x'), code('ELOOP'));
});

test('devices, named pipes and sockets are written to, and stay what they are', async (t) => {
  const at = scratch(t);
  await writeOutputText('/dev/null', 'x');
  await assert.rejects(writeOutputText('/dev/full', 'x'), code('ENOSPC'));
  assert.ok(lstatSync('/dev/full').isCharacterDevice());

  execFileSync('mkfifo', [at('fifo')]);
  const reader = spawn('cat', [at('fifo')], { stdio: ['ignore', 'pipe', 'inherit'] });
  let read = '';
  reader.stdout.on('data', (chunk) => (read += String(chunk)));
  const large = 'long '.repeat(100_000);
  await Promise.all([writeOutputText(at('fifo'), large), once(reader, 'close')]);
  assert.equal(read, large);
  assert.ok(lstatSync(at('fifo')).isFIFO());

  let heard = '';
  const server = createServer((socket) => socket.on('data', (chunk) => (heard += String(chunk))));
  server.listen(at('socket'));
  await once(server, 'listening');
  const closed = once(server, 'connection').then(([socket]) => once(socket, 'end'));
  await writeOutputText(at('socket'), 'hello');
  await closed;
  server.close();
  assert.equal(heard, 'hello');
});

test('a named pipe that nobody reads is given up when the signal says so', async (t) => {
  const at = scratch(t);
  execFileSync('mkfifo', [at('fifo')]);
  const controller = new AbortController();
  // Wait: it may come at any time.
  setTimeout(() => controller.abort(new Error('enough')), 200);
  await assert.rejects(writeOutputText(at('fifo'), 'x', { signal: controller.signal }));
});

test('descriptors of this process are written to where they stand, also those that are regular files', async (t) => {
  const at = scratch(t);
  const module = new URL('./output-file.ts', import.meta.url);
  const script = `
    const { writeOutputText } = await import(${JSON.stringify(module.href)});
    process.stdout.write('one ');
    for (const path of ['/dev/stdout', '/proc/self/fd/1', '/dev/fd/1', ${JSON.stringify(at('link'))}, '/dev/fd/3'])
      await writeOutputText(path, 'x ');
    process.stdout.write('two');`;
  symlinkSync('/dev/stdout', at('link'));
  const run = `"$0" --no-warnings --input-type=module -e "$1" >"$2" 3>>"$3"`;
  execFileSync('/bin/sh', ['-c', run, process.execPath, script, at('out'), at('three')]);
  assert.equal(readFileSync(at('out'), 'utf8'), 'one x x x x two');
  assert.equal(readFileSync(at('three'), 'utf8'), 'x ');
});

test('a file that cannot be replaced is written in place', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const at = scratch(t);
  writeFileSync(at('real'), 'old, and longer');
  writeFileSync(at('mounted'), '');
  try {
    execFileSync('mount', ['--bind', at('real'), at('mounted')], { stdio: 'ignore' });
  } catch {
    return t.skip('needs the right to mount');
  }
  try {
    await writeOutputText(at('mounted'), 'new');
  } finally {
    execFileSync('umount', [at('mounted')]);
  }
  assert.equal(readFileSync(at('real'), 'utf8'), 'new');
  assert.deepEqual(readdirSync(at('.')).sort(), ['mounted', 'real']);
});

test('directories and what cannot be written are errors', async (t) => {
  const at = scratch(t);
  await assert.rejects(writeOutputText(at('.'), 'x'), code('EISDIR'));
  await assert.rejects(writeOutputText(at('none/file'), 'x'), code('ENOENT'));
  await assert.rejects(writeOutputText('/proc/none', 'x'), /ENOENT|EACCES|EPERM/);
  writeFileSync(at('file'), '');
  await assert.rejects(writeOutputText(at('file/x'), 'x'), code('ENOTDIR'));
});

test('removing takes a file, through its links, and nothing else', (t) => {
  const at = scratch(t);
  writeFileSync(at('file'), '');
  chmodSync(at('file'), 0o600);
  symlinkSync('file', at('link'));
  removeOutputFile(at('link'));
  removeOutputFile(at('none'));
  removeOutputFile('/dev/null');
  removeOutputFile(at('.'));
  assert.deepEqual(readdirSync(at('.')), ['link']);
  assert.ok(lstatSync('/dev/null').isCharacterDevice());
});
