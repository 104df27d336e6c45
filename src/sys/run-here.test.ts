import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { scratchDir, until } from '../core/testing.ts';
import { createHereRunner } from './run-here.ts';
import { createSyscalls } from './syscalls.ts';
import type { RunResult, RunSpec } from './types.ts';

const dir = scratchDir('here');
const runner = createHereRunner(createSyscalls());
after(() => runner.close());

async function run(
  script: string | string[],
  change: Partial<RunSpec> = {},
  capabilities?: bigint,
): Promise<RunResult & { out: string }> {
  let out = '';
  const used =
    capabilities === undefined ? runner : createHereRunner({ effectiveCapabilities: () => capabilities });
  const result = await used.run({
    root: '/',
    argv: typeof script === 'string' ? ['/bin/sh', '-c', script] : script,
    env: { PATH: process.env.PATH ?? '', X: 'y z' },
    cwd: dir,
    uid: 0,
    gid: 0,
    groups: [],
    mounts: [],
    hostname: '',
    network: 'host',
    privileged: false,
    onOutput: (_stream, chunk) => {
      out += chunk.toString();
    },
    ...change,
  });
  return { ...result, out };
}

test('environment, directory, user, groups and descriptors are those asked for', async () => {
  process.env.ENVBUILDER_SECRET_OF_OURS = 'x';
  const { out } = await run('env | sort; pwd; id; ls /proc/self/fd; umask', {
    uid: 1000,
    gid: 1001,
    groups: [5, 6],
    cwd: '/',
  });
  delete process.env.ENVBUILDER_SECRET_OF_OURS;
  assert.match(out, /^PATH=[^\n]*\nPWD=\/\nX=y z\n\/\nuid=1000.*gid=1001.*groups=.*5.*6/);
  assert.match(out, /\n0\n1\n2\n3\n0022\n$/);
});

test('it has at most the capabilities of a Docker container', async () => {
  assert.match((await run('grep CapEff /proc/self/status')).out, /00000000a80425fb/);
  assert.doesNotMatch((await run('grep CapEff /proc/self/status', { privileged: true })).out, /a80425fb/);
});

test('a command finds nothing of the one before it', async () => {
  const script = 'id -u; id -G; umask; pwd; echo ok > /dev/stdout; echo ok > /dev/stderr';
  await run('umask 077; cd /; id', { uid: 1000, gid: 1001, groups: [5, 6], cwd: '/' });
  await run('true', { network: 'none' });
  const { out } = await run(script);
  assert.equal(out, `0\n0\n0022\n${dir}\nok\nok\n`);
  const other = await run(script, { uid: 1000, gid: 1001, cwd: '/' });
  assert.equal(other.out, '1000\n1001\n0022\n/\nok\nok\n');
  assert.match((await run('ls /sys/class/net; cat /proc/net/dev | wc -l')).out, /\n([4-9]|\d\d)\n$/);
});

test('exit codes, signals and what cannot be started are told apart', async () => {
  assert.deepEqual((await run('exit 7')).exitCode, 7);
  assert.deepEqual((await run('exit 0')).exitCode, 0);
  const { exitCode, signal } = await run('kill -9 $$');
  assert.deepEqual([exitCode, signal], [137, 'SIGKILL']);
  await assert.rejects(run(['nothing']), { code: 'BUILD_FAILED', message: /nothing was not found in PATH/ });
  await assert.rejects(run(['true'], { cwd: '/no/such' }), { code: 'BUILD_FAILED', message: /cannot enter/ });
});

test('whatever it leaves behind is ended, detached or not, and nothing else', async () => {
  const [left, other] = [`envbuilder-left-${process.pid}`, `envbuilder-other-${process.pid}`];
  const script = `
    (exec -a ${left} sleep 1000) &
    setsid bash -c 'exec -a ${left} sleep 1000' >/dev/null 2>&1 </dev/null &
    setsid bash -c '(trap "" TERM HUP; exec -a ${left} sleep 1000) & exit 0'
    sleep 0.2; exit 3`;
  const abort = new AbortController();
  const beside = run(['/bin/bash', '-c', `exec -a ${other} sleep 1000`], { signal: abort.signal });
  await until('the other command runs', () => processesNamed(other).length > 0);
  assert.equal((await run(['/bin/bash', '-c', script])).exitCode, 3);
  assert.deepEqual(processesNamed(left), []);
  assert.equal(processesNamed(other).length, 1);
  abort.abort();
  await assert.rejects(beside, { name: 'AbortError' });
});

test('an abort ends all of it', async () => {
  const controller = new AbortController();
  const tag = `envbuilder-here-${process.pid}`;
  const started = run(`setsid sh -c 'exec -a ${tag} sleep 1000' & echo up; sleep 1000`, {
    signal: controller.signal,
    argv: ['/bin/bash', '-c', `(exec -a ${tag} sleep 1000) & echo up; sleep 1000`],
    onOutput: () => controller.abort(),
  });
  await assert.rejects(started, { name: 'AbortError' });
  assert.deepEqual(processesNamed(tag), []);
});

test('what needs a right that is missing is an error that says so', async () => {
  await assert.rejects(run('true', { network: 'none' }, 0n), { code: 'PERMISSION', message: /network=none/ });
  await assert.rejects(run('true', { privileged: true }, 0n), { code: 'PERMISSION', message: /insecure/ });
  const { out } = await run('ls /sys/class/net; cat /proc/net/dev | wc -l', { network: 'none' });
  assert.match(out, /\n3\n$/);
});

/** The processes whose command line starts so. */
function processesNamed(start: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).startsWith(start));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
