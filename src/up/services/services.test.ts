import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { killGroup, tempDir } from '../../core/testing.ts';
import type { ProjectService } from '../../devcontainer/compose/services.ts';
import { commandOf, restartOf } from './command.ts';
import { explainEnd } from './ends.ts';
import { fingerprint, isSame } from './fingerprint.ts';
import { healthCheckOfImage, untilHealthy } from './health.ts';
import { projectHosts } from './hosts.ts';
import { INIT, LOOP } from './loop.ts';
import { checkDeclaredPorts, listeners, listenersBelow } from './ports.ts';
import { signalOf } from './store.ts';

function service(name: string, given: Partial<ProjectService> = {}): ProjectService {
  return {
    ...{ name, environment: {}, volumes: [], all: {}, oddBuildKeys: [], otherServices: [], unset: [] },
    ...{ hostNames: [name], extraHosts: [], tmpfs: [], ports: [], exposed: [], dependsOn: new Map() },
    ...{ secrets: [], configs: [], readOnly: false, capAdd: [], capDrop: [], securityOpt: [] },
    ...{ limits: {}, reservations: {}, whereOf: (key: string) => ({ path: `compose.yml#${key}` }) },
    ...given,
  };
}

const tcp = (target: number) => ({ target, protocol: 'tcp' });

test('what a service runs', () => {
  const image = { Entrypoint: ['e'], Cmd: ['c'] };
  for (const [given, expected] of [
    [{}, ['e', 'c']],
    [{ command: ['x'] }, ['e', 'x']],
    [{ command: [] }, ['e']],
    [{ entrypoint: ['y'] }, ['y']],
    [{ entrypoint: ['y'], command: ['x'] }, ['y', 'x']],
    [{ entrypoint: [] }, ['c']],
  ] as const)
    assert.deepEqual(commandOf(given, image), expected);
});

test('when a service is started again', () => {
  for (const [restart, when, most] of [
    [undefined, 'no', 0],
    ['no', 'no', 0],
    [false, 'no', 0],
    ['always', 'always', 0],
    ['unless-stopped', 'always', 0],
    ['on-failure', 'on-failure', 0],
    ['on-failure:3', 'on-failure', 3],
  ] as const)
    assert.deepEqual(restartOf(service('s', { all: { restart } })), { when, most });
  assert.throws(
    () => restartOf(service('s', { all: { restart: 'often' } })),
    /restart of the service s is "often"/,
  );
});

test('signals by number and by name', () => {
  assert.deepEqual(['SIGINT', 'int', '15', 'SIGNONE'].map(signalOf), ['SIGINT', 'SIGINT', 15, 'SIGTERM']);
});

test('the loop of a service starts it as often as its policy says', (t) => {
  const dir = tempDir(t);
  const run = (policy: string, most: string, script: string, go = '\n'): { codes: string; out: string } => {
    const [spec, codes, out] = ['spec', 'codes', 'out'].map((name) => join(dir, `${policy}${most}${name}`));
    writeFileSync(spec!, SPEC);
    writeFileSync(out!, '');
    const fds = [openSync(spec!, 'r'), openSync('/dev/null', 'w'), openSync(codes!, 'w')] as const;
    try {
      // Wait: there is none; it begins anew at once, since the time between two starts is not what is tested.
      const quick = `sleep() { :; }\n${LOOP}`;
      spawnSync('/bin/sh', ['-c', quick, 'sh', policy, most, '/bin/sh', '-c', script, 'sh', out!], {
        input: go,
        env: { PATH: process.env.PATH },
        stdio: ['pipe', 'ignore', 'inherit', 'ignore', 'ignore', 'ignore', ...fds],
      });
    } finally {
      for (const fd of fds) closeSync(fd);
    }
    return { codes: readFileSync(codes!, 'utf8'), out: readFileSync(out!, 'utf8') };
  };
  assert.deepEqual(run('no', '1', 'cat <&6 >"$1"', ''), { codes: '', out: '' });
  assert.deepEqual(run('no', '0', 'cat <&6 >"$1"; exit 3'), { codes: '3\n', out: `${SPEC}\n` });
  assert.equal(run('on-failure', '2', 'exit 9').codes, '9\n9\n9\n');
  const untilFourth = 'cat <&6 >>"$1"; [ $(wc -l <"$1") -eq 4 ]';
  assert.deepEqual(run('on-failure', '0', untilFourth), {
    codes: '1\n1\n1\n0\n',
    out: `${SPEC}\n`.repeat(4),
  });
});

test('a first process of ours hands signals on, and ends as its command does', async () => {
  const script = 'trap "exit 7" TERM; echo there; while :; do sleep 1000 & wait $!; done';
  const child = spawn('/bin/sh', ['-c', INIT, 'init', '/bin/sh', '-c', script], { detached: true });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said += String(bytes);
    if (said === 'there\n') child.kill('SIGTERM');
  });
  const [code, signal] = await once(child, 'exit');
  // What it has left is its own namespace's matter.
  killGroup(child.pid!);
  assert.deepEqual([code, signal], [7, null], said);
});

/** What a shell could take for its own. */
const SPEC = '{"a":"\\u00e4 $x `y` \\\\ %s"}';

test('a service is unhealthy when it has failed for as long as Docker would wait', async () => {
  for (const [check, healthyAt, expected] of [
    [{ interval: 1, retries: 3, startPeriod: 0 }, 2500, undefined],
    [{ interval: 1, retries: 3, startPeriod: 0 }, 9000, 'no'],
    [{ interval: 30, retries: 2, startPeriod: 10 }, 60_000, undefined],
    [{ interval: 0.1, retries: 1, startPeriod: 0 }, 5000, 'no'],
  ] as const) {
    let now = 0;
    const pass = async (ms: number): Promise<void> => {
      now += ms;
    };
    const clock = { now: () => now, sleep: pass };
    const said = await untilHealthy(check, async () => (now >= healthyAt ? undefined : 'no'), clock);
    assert.equal(said, expected, JSON.stringify(check));
    if (expected !== undefined) assert.ok(now >= (check.startPeriod + check.interval * check.retries) * 1000);
  }
});

test('the health check of an image', () => {
  const HALF_A_MINUTE = 30;
  const usual = { interval: HALF_A_MINUTE, timeout: HALF_A_MINUTE, retries: 3, startPeriod: 0 };
  assert.equal(healthCheckOfImage({}), undefined);
  assert.equal(healthCheckOfImage({ Healthcheck: { Test: ['NONE'] } }), undefined);
  assert.deepEqual(healthCheckOfImage({ Healthcheck: { Test: ['CMD', 'a', 'b'] } }), {
    command: ['a', 'b'],
    ...usual,
  });
  assert.deepEqual(
    healthCheckOfImage({
      Shell: ['/s', '-x'],
      Healthcheck: { Test: ['CMD-SHELL', 'a b'], Interval: 2e9, Retries: 5 },
    }),
    { ...usual, command: ['/s', '-x', 'a b'], interval: 2, retries: 5 },
  );
});

test('names of services lead to the machine', () => {
  const app = service('app', {
    all: { links: ['db:base'] },
    extraHosts: [
      ['far', '10.0.0.1'],
      ['host', 'host-gateway'],
    ],
  });
  assert.deepEqual(projectHosts([app, service('db', { hostNames: ['db', 'postgres'] })]), [
    '127.0.0.1 app base db postgres',
    '10.0.0.1 far',
    '127.0.0.1 host',
  ]);
});

test('two services that want one port are named', () => {
  assert.throws(
    () => checkDeclaredPorts([service('a', { ports: [tcp(80)] }), service('b', { exposed: [tcp(80)] })]),
    /the services a and b both listen on port 80/,
  );
  checkDeclaredPorts([
    service('a', { ports: [tcp(80), tcp(80)] }),
    service('b', { ports: [{ target: 80, protocol: 'udp' }] }),
  ]);
  const others = [{ name: 'db', port: 5432 }];
  for (const [given, output, found] of [
    [{}, 'could not bind IPv4 address "0.0.0.0": Address already in use (port 5432)', true],
    [{}, 'Error: listen EADDRINUSE: address already in use :::5432', true],
    [{ command: ['-p', '5432'] }, 'httpd: bind: Address already in use', true],
    [{ environment: { PORT: '5432' } }, 'bind: Address already in use', true],
    [{ command: ['-p', '5433'] }, 'bind: Address already in use', false],
    [{ command: ['-p', '5432'] }, 'no such table', false],
  ] as const)
    assert.equal(explainEnd(service('s', given), output, others) !== undefined, found, output);
});

test('who listens on what, and for whom', async () => {
  for (const [host, everywhere] of [
    ['127.0.0.1', false],
    ['0.0.0.0', true],
  ] as const) {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    const { port } = server.address() as { port: number };
    const own = listenersBelow(process.pid).find((one) => one.port === port);
    assert.equal(own?.everywhere, everywhere);
    assert.ok(listeners().some(({ inode }) => inode === own?.inode));
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a fingerprint tells what has changed, and nothing else', () => {
  const of = (given: Partial<ProjectService>) => ({ service: service('s', given), files: [], mounts: [] });
  const mark = fingerprint(of({ environment: { A: 'canary' } }));
  assert.doesNotMatch(mark, /canary/);
  assert.notEqual(mark, fingerprint(of({ environment: { A: 'canary' } })));
  assert.ok(isSame(mark, of({ environment: { A: 'canary' }, all: { depends_on: {} } })));
  assert.ok(!isSame(mark, of({ environment: { A: 'other' } })));
  assert.ok(!isSame('', of({})));
});
