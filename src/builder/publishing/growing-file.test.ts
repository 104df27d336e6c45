import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createGrowingFile } from './growing-file.ts';

const scratch = mkdtempSync(join(tmpdir(), 'envbuilder-growing-'));
after(() => rmSync(scratch, { recursive: true }));

function grow(name: string) {
  const path = join(scratch, name);
  writeFileSync(path, '');
  const file = createGrowingFile(path, 6);
  const write = (text: string): void => {
    appendFileSync(path, text);
    file.grew(text.length);
  };
  const read = async (offset = 0, signal = new AbortController().signal): Promise<string> => {
    const parts: Uint8Array[] = [];
    for await (const part of file.read(offset, signal)) parts.push(part);
    return Buffer.concat(parts).toString();
  };
  return { file, write, read, path };
}

test('what is written is read, from anywhere, and the last byte only when all is right', async () => {
  const { file, write, read } = grow('whole');
  const whole = read();
  const end = read(4);
  write('abc');
  const reader = file.read(0, new AbortController().signal);
  assert.equal(Buffer.from((await reader.next()).value!).toString(), 'abc');
  write('def');
  assert.equal(Buffer.from((await reader.next()).value!).toString(), 'de');
  file.complete();
  assert.equal(Buffer.from((await reader.next()).value!).toString(), 'f');
  assert.equal((await reader.next()).done, true);
  assert.deepEqual(await Promise.all([whole, end, read(6), read()]), ['abcdef', 'ef', '', 'abcdef']);
});

test('a file that will not be whole fails whoever reads it, then and later', async () => {
  const { file, write, read } = grow('failed');
  const reading = assert.rejects(read(), /broken/);
  write('abcdef');
  file.fail(new Error('broken'));
  await reading;
  await assert.rejects(read(3), /broken/);
});

test('a file that is removed while it is opened fails for the reason why it was', async () => {
  const { file, write, read, path } = grow('removed');
  const reading = assert.rejects(read(), /broken/);
  write('abc');
  // The reader is about to open it.
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  rmSync(path);
  file.fail(new Error('broken'));
  await reading;
});

test('a reader that is stopped does not wait for more', async () => {
  const { read } = grow('stopped');
  const stop = new AbortController();
  const reading = assert.rejects(read(0, stop.signal), { name: 'AbortError' });
  stop.abort();
  await reading;
});
