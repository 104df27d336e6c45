import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scratchDir, until } from '../core/testing.ts';
import { createRunner } from './run.ts';
import { createSyscalls } from './syscalls.ts';
import type { RunResult, RunSpec } from './types.ts';

const root = scratchDir('run');
const runner = createRunner(createSyscalls());
const shell = '/bin/busybox';
const skip = !hasBusybox() && 'busybox-static is not installed';

before(() => {
  chmodSync(root, 0o755);
  for (const dir of ['bin', 'proc', 'dev', 'sys', 'tmp', 'etc', 'work']) mkdirSync(join(root, dir));
  if (skip) return;
  cpSync(shell, join(root, 'bin/busybox'));
  for (const name of [
    'sh',
    'id',
    'cat',
    'ls',
    'hostname',
    'sleep',
    'env',
    'mount',
    'touch',
    'stat',
    'grep',
  ]) {
    symlinkSync('busybox', join(root, 'bin', name));
  }
});
after(() => runner.close());

function hasBusybox(): boolean {
  try {
    return readFileSync(shell).length > 0;
  } catch {
    return false;
  }
}

async function run(
  script: string | string[],
  change: Partial<RunSpec> = {},
): Promise<RunResult & { out: string; err: string }> {
  const text = { stdout: '', stderr: '' };
  const result = await runner.run({
    root,
    argv: typeof script === 'string' ? ['/bin/sh', '-c', script] : script,
    env: { PATH: '/bin', X: 'y z' },
    cwd: '/work',
    uid: 0,
    gid: 0,
    groups: [],
    mounts: [],
    hostname: 'builder',
    network: 'host',
    privileged: false,
    onOutput: (stream, chunk) => {
      text[stream] += chunk.toString();
    },
    ...change,
  });
  return { ...result, out: text.stdout, err: text.stderr };
}

test('the command is process 1 of its own namespaces, with its own name, root and working directory', {
  skip,
}, async () => {
  const { out } = await run('echo $$; hostname; pwd; ls /');
  assert.equal(out, '1\nbuilder\n/work\nbin\ndev\netc\nproc\nsys\ntmp\nwork\n');
});

test('its environment is exactly what was given', { skip }, async () => {
  process.env.ENVBUILDER_SECRET_OF_OURS = 'x';
  const { out } = await run(['/bin/env']);
  delete process.env.ENVBUILDER_SECRET_OF_OURS;
  assert.deepEqual(out.trim().split('\n').sort(), ['PATH=/bin', 'X=y z']);
});

test('it has the capabilities of a Docker container, and all of them when privileged', { skip }, async () => {
  const { out } = await run('grep CapEff /proc/self/status');
  assert.match(out, /00000000a80425fb/);
  const privileged = await run('grep CapEff /proc/self/status', { privileged: true });
  assert.doesNotMatch(privileged.out, /00000000a80425fb/);
});

test('another user has no capabilities, and just the groups given', { skip }, async () => {
  const { out } = await run('id; grep CapEff /proc/self/status', { uid: 1000, gid: 1001, groups: [5, 6] });
  assert.match(out, /uid=1000 gid=1001 groups=.*5.*6/);
  assert.match(out, /CapEff:\s*0000000000000000/);
});

test('no descriptor of ours is open in it', { skip }, async () => {
  const { out } = await run('ls /proc/self/fd');
  // 3 is the directory that ls itself reads.
  assert.deepEqual(out.trim().split('\n'), ['0', '1', '2', '3']);
});

test('/dev is small and works, /proc and /sys are protected', { skip }, async () => {
  const { out } = await run(
    'ls /dev; echo x > /dev/null && echo ok; cat /proc/kcore | ls -l /proc/keys; touch /proc/sys/x /sys/x',
  );
  assert.match(
    out,
    /^core\nfd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\nok\n/,
  );
  const write = await run('echo 1 > /proc/sys/vm/drop_caches');
  assert.notEqual(write.exitCode, 0);
});

test('/proc shows its own processes and nobody else', { skip }, async () => {
  const beside = run('sleep 0.3');
  const { out, err } = await run('echo /proc/[0-9]*; cat /proc/1/environ; exit 4');
  await beside;
  assert.match(out, /^\/proc\/1( \/proc\/\d)?\nPATH=\/bin\0X=y z\0/);
  assert.equal(err, '');
});

test('exit codes and signals are told apart', { skip }, async () => {
  assert.deepEqual((await run('exit 7')).exitCode, 7);
  const killed = await run('sh -c "kill -9 \\$\\$"; exit $?');
  assert.equal(killed.exitCode, 137);
});

test('processes that it leaves behind are gone, and it does not wait for them', { skip }, async () => {
  const name = `left-by-${process.pid}`;
  const { exitCode } = await run(`(exec sh -c 'sleep 1000; : ${name}') >/dev/null 2>&1 & exit 0`);
  assert.equal(exitCode, 0);
  await until('it is gone', () => !processes().some((pid) => commandOf(pid).includes(`: ${name}`)));
});

test('an abort ends it', { skip }, async () => {
  const controller = new AbortController();
  const started = run('echo up; sleep 1000', {
    signal: controller.signal,
    onOutput: () => controller.abort(),
  });
  await assert.rejects(started, { name: 'AbortError' });
});

test('a command finds nothing of the one before it, nor of one beside it', { skip }, async () => {
  const script =
    'id -u; id -G; umask; pwd; hostname; echo ok > /dev/stdout; echo ok > /dev/stderr; grep -c : /proc/net/dev; ls /dev';
  const first = await run(script);
  const user = { uid: 1000, gid: 1001, groups: [5, 6], cwd: '/', hostname: 'other' } as const;
  const beside = [run('umask 077; hostname; sleep 0.2', user), run(script, { ...user, network: 'none' })];
  const [again, network] = [await run(script), (await Promise.all(beside))[1]!];
  assert.equal(again.out, first.out);
  assert.match(first.out, /^0\n0\n0022\n\/work\nbuilder\nok\n/);
  assert.match(network.out, /^1000\n1001 5 6\n0022\n\/\nother\nok\n1\n/);
  assert.equal(first.err + network.err, 'ok\nok\n');
});

test('it ends when we are killed', { skip }, async () => {
  const name = `envbuilder-${process.pid}`;
  const script = `
    import { createRunner } from '${import.meta.resolve('./run.ts')}';
    import { createSyscalls } from '${import.meta.resolve('./syscalls.ts')}';
    await createRunner(createSyscalls()).run({
      root: ${JSON.stringify(root)}, argv: ['/bin/sh', '-c', 'echo up; sleep 1000; : ${name}'], env: { PATH: '/bin' }, cwd: '/',
      uid: 1000, gid: 1000, groups: [], mounts: [], hostname: '', network: 'host', privileged: false,
      onOutput: () => console.log('up'),
    });`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script]);
  const running = (): boolean =>
    processes().some((pid) => commandOf(pid).includes(`: ${name}`) && pid !== `${child.pid}`);
  await once(child.stdout, 'data');
  assert.ok(running());
  child.kill('SIGKILL');
  await until('it is gone', () => !running());
});

test('a command that cannot be started says why', { skip }, async () => {
  writeFileSync(join(root, 'work/script'), '#!/no/such\r\n', { mode: 0o755 });
  writeFileSync(join(root, 'work/plain'), 'text', { mode: 0o644 });
  await assert.rejects(run(['nothing']), { code: 'BUILD_FAILED', message: /nothing was not found in PATH/ });
  await assert.rejects(run(['/work/script']), { message: /interpreter \/no\/such/ });
  await assert.rejects(run(['/work/plain']), { message: /not executable/ });
});

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

test("the host's mount table is the same during and after", { skip }, async () => {
  // Whatever else the machine mounts meanwhile is not told from ours but by its names.
  const name = `envbuilder-mounted-${process.pid}`;
  const ours = (): string[] =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(root) || line.includes(name));
  const before = ours();
  let [inside, looked] = ['', 0];
  await run(`mount -t tmpfs ${name} /tmp && grep -c ${name} /proc/self/mountinfo`, {
    privileged: true,
    onOutput: (_stream, chunk) => {
      inside += chunk.toString();
      looked += 1;
      assert.deepEqual(ours(), before);
    },
    mounts: [{ type: 'tmpfs', target: '/tmp' }],
  });
  assert.match(inside, /^1\n$/);
  assert.ok(looked > 0);
  assert.deepEqual(ours(), before);
});

test('bind mounts are read-only when they say so', { skip }, async () => {
  const source = mkdtempSync(join(tmpdir(), 'envbuilder-bind-'));
  writeFileSync(join(source, 'f'), 'content');
  const mounts = [{ type: 'bind', source, target: '/tmp', readonly: true } as const];
  const { out, exitCode } = await run('cat /tmp/f; touch /tmp/x 2>/dev/null', { mounts });
  rmSync(source, { recursive: true });
  assert.deepEqual([out, exitCode], ['content', 1]);
});
