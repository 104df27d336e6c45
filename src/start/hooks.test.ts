import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { quoteWord } from '../core/shell-words.ts';
import { scratchDir } from '../core/testing.ts';
import { runAs } from '../sys/run-as.ts';
import { type Hook, type HookFailure, hookScript, type NamedHooks, runHooks } from './hooks.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const dir = scratchDir('hooks');

const account = { uid: 0, gid: 0, groups: [0], name: 'root', home: '/root', shell: '/bin/sh' };
const file = '.devcontainer/devcontainer.json';

async function run(hooks: readonly NamedHooks[], signal = new AbortController().signal) {
  const events: Event[] = [];
  const failure = await runHooks(hooks, {
    runAs,
    account,
    env: { PATH: '/usr/bin:/bin', GREETING: 'hello' },
    cwd: dir,
    emit: (event) => events.push(event),
    signal,
  });
  const texts = events.map((event) => ('text' in event ? event.text : event.type));
  return { failure, texts };
}

const one = (name: string, command: Hook['command'], origin = file): NamedHooks => ({
  name,
  hooks: [{ origin, command }],
});

test('strings go through a shell, lists do not', { skip }, async () => {
  const { failure, texts } = await run([
    one('onCreateCommand', 'echo "$GREETING" | tr a-z A-Z; pwd'),
    one('postCreateCommand', ['echo', '$GREETING']),
    one('postStartCommand', ''),
  ]);
  assert.equal(failure, undefined);
  assert.deepEqual(texts, [
    `running onCreateCommand as root (${file})`,
    'onCreateCommand: HELLO',
    `onCreateCommand: ${dir}`,
    `running postCreateCommand as root (${file})`,
    'postCreateCommand: $GREETING',
    `running postStartCommand as root (${file})`,
  ]);
});

test('commands of an object run at the same time and are told apart', { skip }, async () => {
  // Each waits for the other, so that one after the other they would never end.
  const meet = (mine: string, other: string) =>
    `touch ${dir}/${mine}; while ! test -e ${dir}/${other}; do sleep 0.05; done; echo ${mine} done`;
  const { failure, texts } = await run([
    one('postCreateCommand', { left: meet('a', 'b'), right: ['/bin/sh', '-c', meet('b', 'a')] }),
  ]);
  assert.equal(failure, undefined);
  assert.deepEqual(texts.slice(1).sort(), [
    'postCreateCommand left: a done',
    'postCreateCommand right: b done',
  ]);
});

test('a failing one is named with its code and origin, and skips the later ones', { skip }, async () => {
  const { failure, texts } = await run([
    {
      name: 'onCreateCommand',
      hooks: [
        { origin: 'ghcr.io/x/feature:1', command: { ok: 'true', bad: 'exit 3', worse: ['no-such-program'] } },
        { origin: file, command: 'echo never' },
      ],
    },
    one('postStartCommand', 'echo never'),
  ]);
  const text =
    'onCreateCommand bad of ghcr.io/x/feature:1 exited with code 3; ' +
    'onCreateCommand worse of ghcr.io/x/feature:1 could not be started: no-such-program was not found in PATH (/usr/bin:/bin)';
  assert.deepEqual(failure, { hook: 'onCreateCommand', text } satisfies HookFailure);
  assert.equal(texts.at(-1), `${text}; not run: onCreateCommand, postStartCommand`);
  assert.ok(!texts.some((line) => line.includes('never')));
});

test('output without a line end, and characters cut in two, arrive whole', { skip }, async () => {
  const { texts } = await run([
    one('postStartCommand', `printf '\\303'; sleep 0.1; printf '\\244 end'; printf 'err\\n' >&2`),
  ]);
  assert.deepEqual(texts.slice(1).sort(), ['postStartCommand: err', 'postStartCommand: ä end']);
});

test('an abort ends the hook and is no failure of it', { skip }, async () => {
  const controller = new AbortController();
  // Wait: it may come at any time.
  setTimeout(() => controller.abort(new Error('interrupted')), 200);
  await assert.rejects(run([one('onCreateCommand', 'sleep 1000')], controller.signal), /interrupted/);
});

test('a script for later does the same', () => {
  const hooks: Hook[] = [
    { origin: file, command: 'echo one\necho two' },
    { origin: file, command: ['printf', '%s\\n', `it's $HOME`] },
    { origin: file, command: { a: `echo a > ${dir}/pa`, b: ['touch', `${dir}/p b`] } },
  ];
  const script = hookScript(hooks, quoteWord);
  assert.ok(script.startsWith('#!/bin/sh\n'));
  writeFileSync(join(dir, 'script'), script, { mode: 0o755 });
  assert.equal(execFileSync(join(dir, 'script'), { encoding: 'utf8' }), `one\ntwo\nit's $HOME\n`);
  assert.equal(readFileSync(join(dir, 'pa'), 'utf8'), 'a\n');
  assert.equal(readFileSync(join(dir, 'p b'), 'utf8'), '');
});
