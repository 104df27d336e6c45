import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchDir, until } from '../core/testing.ts';
import { runAs, type UserCommand } from './run-as.ts';

const skip = process.getuid?.() !== 0 && 'needs root';
const dir = scratchDir('run-as');

const env = { PATH: '/usr/bin:/bin', X: 'y z' };

async function run(script: string | readonly string[], change: Partial<UserCommand> = {}) {
  const text = { stdout: '', stderr: '' };
  const argv = typeof script === 'string' ? ['/bin/sh', '-c', script] : script;
  const command = { argv, env, cwd: '/', uid: 0, gid: 0, groups: [0], ...change };
  const result = await runAs(command, {
    onOutput: (stream, chunk) => {
      text[stream] += chunk.toString();
    },
  });
  return { ...result, ...text };
}

test('the user, all groups, the environment and nothing else of ours', { skip }, async () => {
  const { stdout } = await run('id -u; id -g; id -G; env | grep -v ^PWD=; pwd; ls /proc/self/fd', {
    uid: 1234,
    gid: 77,
    groups: [77, 5, 6],
    cwd: '/usr',
  });
  const lines = stdout.trim().split('\n');
  assert.deepEqual(lines.slice(0, 3), ['1234', '77', '77 5 6']);
  assert.deepEqual(lines.slice(3, 5).sort(), ['PATH=/usr/bin:/bin', 'X=y z']);
  assert.deepEqual(lines.slice(5), ['/usr', '0', '1', '2', '3']);
});

test('what no process can have is left out of its environment, and refused as an argument', {
  skip,
}, async () => {
  const odd = { ...env, NUL: 'a\0b', 'N\0': 'x', LONG: 'x'.repeat(200_000) };
  const { stdout } = await run('env | grep -v ^PWD= | sort', { env: odd });
  assert.equal(stdout, 'PATH=/usr/bin:/bin\nX=y z\n');
  const { failure } = await run(['/bin/echo', 'a\0b']);
  assert.equal(failure?.message, 'an argument of the command has a NUL byte');
});

test('signals have their defaults', { skip }, async () => {
  const { stdout } = await run('grep SigIgn /proc/self/status');
  assert.match(stdout, /^SigIgn:\s*0000000000000000$/m);
});

test('pipes wait again once a command has taken our place', { skip }, async () => {
  const script = `
    import { becomeCommand } from '${fileURLToPath(new URL('./become-command.ts', import.meta.url))}';
    process.stdout.write('we\\n');
    process.stdin.on('data', () => {}).pause();
    becomeCommand({ argv: ['/bin/grep', 'flags', '/proc/self/fdinfo/0', '/proc/self/fdinfo/1'],
      env: {}, cwd: '/', uid: 0, gid: 0, groups: [0] });
  `;
  const child = spawn(
    '/bin/sh',
    // Wait: it keeps the pipe open, and is what the pipeline takes.
    ['-c', 'sleep 2 | "$0" --input-type=module -e "$1" | cat', process.execPath, script],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  await new Promise((resolve) => child.on('close', resolve));
  const flags = [...out.matchAll(/flags:\s*(\d+)/g)].map(([, octal]) => Number.parseInt(octal!, 8) & 0o4000);
  assert.deepEqual(flags, [0, 0], out);
});

test('a working directory that only root may enter', { skip }, async () => {
  const closed = join(dir, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const { stdout, failure } = await run(['/bin/pwd'], { cwd: closed, uid: 1234, gid: 1234, groups: [1234] });
  assert.deepEqual([stdout, failure], [`${closed}\n`, undefined]);
});

test('a program that only root may execute', { skip }, async () => {
  const program = join(dir, 'program');
  writeFileSync(program, '#!/bin/sh\necho ran\n', { mode: 0o700 });
  const { failure } = await run([program], { uid: 1234, gid: 1234, groups: [1234] });
  assert.match(failure?.message ?? '', /may not be executed by the user 1234$/);
  assert.equal((await run([program])).stdout, 'ran\n');
});

test('exit codes and signals', { skip }, async () => {
  assert.equal((await run('exit 7')).exitCode, 7);
  assert.deepEqual((await run('kill -TERM $$')).signal, 'SIGTERM');
  assert.equal((await run('kill -TERM $$')).exitCode, 143);
  const missing = await run(['no-such-program']);
  assert.equal(missing.exitCode, 127);
  assert.match(missing.failure?.message ?? '', /^no-such-program was not found in PATH/);
  assert.match(
    (await run('true', { cwd: '/no/such' })).failure?.message ?? '',
    /working directory \/no\/such/,
  );
});

/** Processes that have a text among their arguments. */
function processesOf(text: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
    } catch {
      return false;
    }
  });
}

test('an aborted command is gone, with its whole group', { skip }, async () => {
  const controller = new AbortController();
  const marker = join(dir, 'survived');
  const running = runAs(
    {
      argv: ['/bin/sh', '-c', `(echo up; exec sh -c 'sleep 1000; : ${marker}') & wait`],
      env,
      cwd: '/',
      uid: 0,
      gid: 0,
      groups: [],
    },
    { onOutput: () => controller.abort(new Error('stop')), signal: controller.signal },
  );
  await assert.rejects(running, /stop/);
  await until('all of it is gone', () => processesOf(marker).length === 0);
});

test('a process left behind can still write when we are gone', { skip }, async () => {
  const script = `
    import { runAs } from '${fileURLToPath(new URL('./run-as.ts', import.meta.url))}';
    const command = { argv: ['/bin/sh', '-c', '(while ! test -e ${dir}/go; do sleep 0.05; done; echo late && touch ${dir}/late) & echo early'],
      env: { PATH: '/usr/bin:/bin' }, cwd: '/', uid: 0, gid: 0, groups: [] };
    await runAs(command, { onOutput: (_, chunk) => process.stdout.write('[' + chunk.toString().trim() + ']') });
    process.exit(0);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  await new Promise((resolve) => child.on('exit', resolve));
  assert.equal(out, '[early]');
  writeFileSync(join(dir, 'go'), '');
  await new Promise((resolve) => child.on('close', resolve));
  assert.equal(out, '[early]late\n');
  assert.equal(existsSync(join(dir, 'late')), true);
});
