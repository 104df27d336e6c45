import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Event } from '../core/events.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import { scratchDir, until } from '../core/testing.ts';
import { type BesideWork, startBeside } from './beside.ts';
import type { BuiltState } from './state.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const dir = scratchDir('beside');
const at = (name: string): string => join(dir, name);
const account = { uid: 0, gid: 0, groups: [0], name: 'root', home: '/root', shell: '/bin/sh' };
const env = { PATH: '/usr/bin:/bin' };
const serving = `echo before; touch ${at('up')}; while test -d ${dir} && ! test -e ${at('go')}; do sleep 0.1; done; echo after; touch ${at('end')}`;
const texts = (events: readonly Event[]) =>
  events.map((event) => ('text' in event ? event.text : event.type));

function open(events: Event[], signal = new AbortController().signal) {
  return { emit: (event: Event) => void events.push(event), signal };
}

test('hooks go on when what they ran beside is another process, and are kept as done', { skip }, async () => {
  const events: Event[] = [];
  const state: BuiltState = {
    config: {},
    devcontainer: { containerEnv: {}, remoteEnv: {}, hooks: {}, entrypoints: [] },
    done: { onCreateCommand: 'c' },
  };
  const hooks = [
    { name: 'postCreateCommand', hooks: [{ origin: 'file', command: serving }] },
    { name: 'postStartCommand', hooks: [{ origin: 'file', command: 'true' }] },
  ];
  const work = { hooks, account, env, cwd: dir, keep: { ownDir: dir, state, content: 'c' } };
  const beside = startBeside(work, open(events));
  await until('it serves', () => existsSync(at('up')) && events.length > 1);
  await beside.handOver();
  assert.deepEqual(texts(events), ['running postCreateCommand as root (file)', 'postCreateCommand: before']);
  writeFileSync(at('go'), '');
  await until('all is done', () => {
    const done = existsSync(at('built')) ? JSON.parse(readFileSync(at('built'), 'utf8')).done : {};
    return done.postStartCommand === 'c' && done.postCreateCommand === 'c' && done.onCreateCommand === 'c';
  });
  assert.equal(texts(events).length, 2, 'the rest went to standard error');
});

test('secrets are masked in what hooks say later', { skip }, async () => {
  const command = 'echo of the hook: $SECRET, $SECRET-more; echo "$SECRET" >&2';
  const secret = 'value$&';
  const work: BesideWork = {
    ...{ hooks: [{ name: 'postStartCommand', hooks: [{ origin: 'file', command }] }], account, cwd: dir },
    env: { ...env, SECRET: secret },
    masked: [secret, `${secret}-more`],
  };
  const child = spawn(process.execPath, ['--no-warnings', fileURLToPath(entryPoint('beside'))], {
    env: ownEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  });
  // The process that started it has become another one.
  (child.stdio[4] as Readable).resume();
  (child.stdio[3] as Writable).end(`${JSON.stringify(work)}\n`);
  const said = await text(child.stderr!);
  const lines = said.split('\n').filter((line) => line.startsWith('postStartCommand: '));
  assert.deepEqual(lines.sort(), ['postStartCommand: ***', 'postStartCommand: of the hook: ***, ***']);
});

test('one that fails keeps no other from running where that is said', { skip }, async () => {
  const run = async (evenAfterFailure: boolean): Promise<readonly string[]> => {
    const events: Event[] = [];
    const hooks = ['exit 3', 'echo second'].map((command, i) => ({
      name: 'entrypoint',
      hooks: [{ origin: `feature ${i}`, command }],
    }));
    const beside = startBeside({ hooks, account, env, cwd: dir, evenAfterFailure }, open(events));
    await beside.ended;
    await beside.handOver();
    return texts(events).filter((text) => !text.startsWith('running'));
  };
  assert.deepEqual(await run(true), ['entrypoint of feature 0 exited with code 3', 'entrypoint: second']);
  assert.deepEqual(await run(false), ['entrypoint of feature 0 exited with code 3; not run: entrypoint']);
});

test('a start that is ended ends them', { skip }, async () => {
  const controller = new AbortController();
  const events: Event[] = [];
  const hooks = [
    { name: 'entrypoint', hooks: [{ origin: 'f', command: `echo $$ > ${at('pid')}; exec sleep 3000` }] },
  ];
  const beside = startBeside({ hooks, account, env, cwd: dir }, open(events, controller.signal));
  await until('it runs', () => existsSync(at('pid')) && readFileSync(at('pid'), 'utf8') !== '');
  controller.abort();
  await beside.ended;
  const pid = readFileSync(at('pid'), 'utf8').trim();
  await until('it is gone', () => !existsSync(`/proc/${pid}`));
});
