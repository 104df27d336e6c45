import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { isPossibleVariable } from './possible-variable.ts';

test('variables are possible that a process can be given', () => {
  const long = (bytes: number): string => 'x'.repeat(bytes - 'A='.length - 1);
  for (const [name, value] of [
    ['A', ''],
    ['A', 'b\n'],
    ['A', long(131_072)],
    ['A', long(131_073)],
    ['A'.repeat(200_000), 'b'],
    ['A\0', 'b'],
    ['A', 'b\0c'],
  ] as const) {
    let started: boolean;
    try {
      started = spawnSync('/bin/true', { env: { [name]: value } }).status === 0;
    } catch {
      started = false;
    }
    assert.equal(isPossibleVariable(name, value), started, `${name.length} and ${value.length}`);
  }
});
