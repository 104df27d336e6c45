import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../core/events.ts';
import { scratchDir } from '../core/testing.ts';
import { runAs } from '../sys/run-as.ts';
import { applySetup, type InitCommand, runSetupScript } from './setup-script.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const dir = scratchDir('setup');

const init: InitCommand = { command: '/bin/sh', args: ['-c', 'sleep infinity'], user: 'dev' };
const envFile = join(dir, 'environ');

async function run(script: string) {
  const events: Event[] = [];
  const result = runSetupScript(script, init, 'dev', {
    runAs,
    root: { uid: 0, gid: 0, groups: [0], name: 'root', home: '/root', shell: '/bin/sh' },
    env: { PATH: '/usr/bin:/bin', HOME: '/home/dev', A: '1' },
    cwd: dir,
    envFile,
    terminal: false,
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
  });
  const settled = await result.catch((error: unknown) => error);
  return { result: settled, texts: events.map((event) => ('text' in event ? event.text : event.type)) };
}

test('it runs as root in the workspace, and may choose what runs', { skip }, async () => {
  const { result, texts } = await run(
    'echo "$(id -u) $HOME $USER $TARGET_USER $A $PWD"; printf "INIT_COMMAND=/bin/init\\nTARGET_USER=root\\n" >> "$ENVBUILDER_ENV"',
  );
  assert.deepEqual(result, { command: '/bin/init', args: [], user: 'root' });
  assert.equal(texts[1], `setup script: 0 /root root dev 1 ${dir}`);
  assert.equal(existsSync(envFile), false);
});

test('it may write nothing, or remove the file', { skip }, async () => {
  assert.deepEqual((await run('true')).result, init);
  assert.deepEqual((await run('rm "$ENVBUILDER_ENV"')).result, init);
});

test('a failure ends the start', { skip }, async () => {
  const { result } = await run('echo no >&2; exit 4');
  assert.throws(
    () => {
      throw result;
    },
    { code: 'START_FAILED', message: 'the setup script exited with code 4' },
  );
  assert.equal(existsSync(envFile), false);
});

test('what its file may hold', () => {
  assert.deepEqual(applySetup('', init), init);
  assert.deepEqual(applySetup('no key\n\n', init), init);
  assert.deepEqual(applySetup("INIT_ARGS=-c 'a  b' c", init), { ...init, args: ['-c', 'a  b', 'c'] });
  assert.deepEqual(applySetup('INIT_ARGS=a\nINIT_COMMAND=/x', init), { ...init, command: '/x', args: ['a'] });
  assert.deepEqual(applySetup('INIT_ARGS=\nINIT_COMMAND=/x=y', init), { ...init, command: '/x=y', args: [] });
  assert.throws(() => applySetup('PATH=/x', init), { code: 'START_FAILED', message: /unknown key "PATH"/ });
  assert.throws(() => applySetup("INIT_ARGS='a", init), { code: 'USAGE' });
});
