import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isElf, neededLibraries, relocateProgram, stripElf } from './elf.ts';

/** A program that is there wherever the tests run. */
const node = readFileSync(join(import.meta.dirname, `../node_modules/node-linux-${process.arch}/bin/node`));

test('a program gets another loader and library path without moving anything else', () => {
  const changed = Buffer.from(node);
  relocateProgram(changed, '/somewhere/else/lib/ld.so', '/somewhere/else/lib');
  assert.equal(changed.length, node.length);
  assert.deepEqual(neededLibraries(changed), neededLibraries(node));
  assert.ok(neededLibraries(node).includes('libc.so.6'));
  let differing = 0;
  for (let at = 0; at < node.length; at += 4096) {
    const page = (bytes: Buffer): Buffer => bytes.subarray(at, at + 4096);
    if (page(changed).equals(page(node))) continue;
    for (let i = at; i < Math.min(at + 4096, node.length); i += 1) if (node[i] !== changed[i]) differing += 1;
  }
  assert.ok(differing < 150, `${differing} bytes differ`);
  assert.throws(() => relocateProgram(changed, '/x', '/y'), /a library path of its own/);
});

test('a string that no segment has room for is refused', () => {
  const changed = Buffer.from(node);
  assert.throws(() => relocateProgram(changed, '/lib/ld.so', `/${'x'.repeat(5000)}`), /no segment has room/);
});

test('stripping keeps all that is loaded', () => {
  const stripped = stripElf(node);
  assert.ok(isElf(stripped) && stripped.length < node.length);
  assert.deepEqual(neededLibraries(stripped), neededLibraries(node));
  assert.equal(stripElf(stripped), stripped);
  assert.throws(() => stripElf(Buffer.alloc(100)), /not a 64-bit little-endian ELF file/);
});
