import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { withWatchedChild } from './watched-child.ts';

const options = (
  script: string,
  signal?: AbortSignal,
  end: (child: ChildProcess) => Promise<void> = async () => {},
) => ({
  path: process.env.PATH,
  start: () => spawn('/bin/sh', ['-c', script], { stdio: 'ignore' }),
  leads: false,
  ...{ end, signal },
});
const codeOf = async (child: ChildProcess): Promise<number> => (await once(child, 'exit'))[0];

test('the result is that of who uses the child, and so is the error', async () => {
  assert.equal(await withWatchedChild(options('exit 7'), codeOf), 7);
  await assert.rejects(
    withWatchedChild(options('exit 7'), async (child) => {
      await codeOf(child);
      throw new Error('of the use');
    }),
    /of the use/,
  );
  const start = (): ChildProcess => {
    throw new Error('no such program');
  };
  await assert.rejects(withWatchedChild({ ...options(''), start }, codeOf), /no such program/);
});

test('a signal ends the child, and its reason comes once that is done', async () => {
  const stop = new AbortController();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  const end = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL');
    await over;
  };
  const running = withWatchedChild(options('sleep 1000', stop.signal, end), (child) => {
    begin();
    return once(child, 'exit');
  });
  let settled = false;
  const checked = assert.rejects(running, /interrupted/).finally(() => {
    settled = true;
  });
  await begun;
  stop.abort(new Error('interrupted'));
  await new Promise(setImmediate);
  assert.equal(settled, false);
  finish();
  await checked;
});

test('what is interrupted already is not started', async () => {
  const start = (): ChildProcess => assert.fail('it is started');
  const signal = AbortSignal.abort(new Error('interrupted'));
  await assert.rejects(withWatchedChild({ ...options('', signal), start }, codeOf), /interrupted/);
});
