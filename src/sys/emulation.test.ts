import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { tempDir } from '../core/testing.ts';
import { isProgramFor, startsPrograms } from './emulation.ts';

const OWN = process.arch === 'arm64' ? 'arm64' : 'amd64';

test('the kernel starts programs of its own architecture; what cannot be told counts as started, and nothing is left', async (t) => {
  const dir = tempDir(t);
  for (const architecture of [OWN, 'toaster']) assert.equal(await startsPrograms(architecture, dir), true);
  const others = ['386', 'arm', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];
  for (const architecture of others) await startsPrograms(architecture, dir);
  assert.deepEqual(readdirSync(dir), []);
});

test('a program says what it is for', () => {
  const own = readFileSync(process.execPath).subarray(0, 64);
  assert.equal(isProgramFor(OWN, own), true);
  assert.equal(isProgramFor('s390x', own), false);
  assert.equal(isProgramFor('toaster', own), undefined);
  assert.equal(isProgramFor(OWN, Buffer.from('#!/bin/sh -e -x -u -f -n')), undefined);
  assert.equal(isProgramFor(OWN, own.subarray(0, 10)), undefined);
});
