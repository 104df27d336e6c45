import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { killGroup } from '../core/testing.ts';
import { firstProcess } from './first-process.ts';

const image = { Entrypoint: ['/bin/echo', 'own'], Cmd: ['a b'] };
const entrypoints = [
  { origin: 'one', command: 'echo first' },
  { origin: 'two', command: 'false; echo second' },
];

function printed(input: string): string {
  const [shell = '', ...args] = firstProcess({ entrypoints, overrideCommand: false }, image);
  return spawnSync(shell, args, { input, encoding: 'utf8' }).stdout;
}

test('a first process that nobody lets go ends without a word', () => {
  assert.equal(printed(''), '');
});

test('features are started in order, and then the command of the image where it is not replaced', () => {
  assert.equal(printed('\n'), 'first\nsecond\nown a b\n');
});

test('where there is nothing to wait with it ends, and says so', () => {
  const [shell = '', ...args] = firstProcess({ entrypoints: [] }, image);
  const { status, stderr } = spawnSync(shell, args, {
    input: '\n',
    encoding: 'utf8',
    env: { PATH: '/nowhere' },
  });
  assert.equal(status, 127);
  assert.match(stderr, /sleep/);
});

test('where it is replaced it waits, and ends when it is asked to', async () => {
  const [shell = '', ...args] = firstProcess({ entrypoints }, image);
  const child = spawn(shell, args, { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  child.stdin.end('\n');
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes('second')) break;
  }
  const ended = once(child, 'exit');
  process.kill(-child.pid!, 'SIGTERM');
  assert.deepEqual([said, (await ended)[0]], ['first\nsecond\n', 0]);
  // What it waits with may have begun after the signal; in a container it ends with the namespace.
  killGroup(child.pid!);
});
