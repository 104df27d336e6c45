import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { killGroup } from '../core/testing.ts';
import { atRest } from './at-rest.ts';
import { firstProcess } from './first-process.ts';
import { isThere, markOf } from './process-mark.ts';

interface Row {
  /** What the container becomes; nothing where it waits. */
  readonly own?: readonly string[];
  readonly entrypoint?: string;
  readonly path?: string;
  readonly stays: boolean;
}

const ROWS: Readonly<Record<string, Row>> = {
  'waits itself': { stays: true },
  'waits behind the start of a feature': { entrypoint: 'true', stays: true },
  'a server that waits': { own: ['sleep', '3000'], stays: true },
  'a server in a shell that waits for it': { own: ['sh', '-c', 'sleep 3000; true'], stays: true },
  'a program that computes': { own: ['sh', '-c', 'while :; do :; done'], stays: true },
  'a shell with nothing to read': { own: ['sh'], stays: false },
  'a program that says something, and ends': { own: ['sh', '-c', 'ls / >/dev/null; ls /'], stays: false },
  'no such program': { own: ['/nowhere/program'], stays: false },
  'nothing to wait with': { path: '/nowhere', stays: false },
};

for (const [name, { own, entrypoint, path, stays }] of Object.entries(ROWS)) {
  test(`a first process that gets no processor for a while: ${name}`, async (t) => {
    const entrypoints = entrypoint === undefined ? [] : [{ origin: 'one', command: entrypoint }];
    const image = { Entrypoint: [...(own ?? [])] };
    const [shell = '', ...args] = firstProcess(
      { entrypoints, ...(own === undefined ? {} : { overrideCommand: false }) },
      image,
    );
    const child = spawn(shell, args, {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      env: { PATH: path ?? process.env.PATH },
    });
    t.after(() => killGroup(child.pid!));
    const mark = markOf(child.pid!)!;
    process.kill(child.pid!, 'SIGSTOP');
    child.stdin.end('\n');
    let isOver = false;
    const over = atRest(mark).then(() => {
      isOver = true;
    });
    // Wait: for what must not happen.
    await sleep(150);
    assert.equal(isOver, false);
    process.kill(child.pid!, 'SIGCONT');
    await over;
    assert.equal(isThere(mark), stays);
  });
}

test('an interrupt ends the wait', async (t) => {
  const [shell = '', ...args] = firstProcess({ entrypoints: [] }, {});
  const child = spawn(shell, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  t.after(() => killGroup(child.pid!));
  await atRest(markOf(child.pid!)!, AbortSignal.abort());
});
