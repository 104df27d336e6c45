import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { constants as osConstants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { until } from '../src/core/testing.ts';
import { CLEAR_UP_MS } from '../src/sys/end-on-signals.ts';
import { type Container, type ContainerOptions, useContainers } from './support/container.ts';
import {
  ABORTED,
  LIMIT_MS,
  type Phase,
  type PhaseOptions,
  type Running,
  startPhase,
  starts,
  tryPhase,
  useSilentServer,
  withSignals,
} from './support/phases.ts';
import { createSandbox } from './support/sandbox.ts';

/*
 * SIGINT and SIGTERM end every command, whatever it does. Each row would go on for ever, so a limit that a busy machine
 * keeps says enough; that the thread which ends a command waits no longer than it should is read from its constant.
 */

const containers = useContainers();
const silent = useSilentServer();

/** It listens to signals, and has nothing to compute. */
const waits = async ({ child }: Running): Promise<boolean> => {
  const facts = (): string => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ').slice(13, 15).join();
  const before = facts();
  // Wait: it has been idle for as long.
  await sleep(300);
  return before === facts() && listens(child.pid!);
};

function listens(pid: number): boolean {
  const caught = /^SigCgt:\s+([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${caught}`) >> BigInt(osConstants.signals.SIGTERM - 1)) & 1n) === 1n;
}

const PHASES: readonly Phase[] = [
  {
    name: 'build: asks a registry for the base image',
    files: { Dockerfile: 'FROM SILENT/x:1\n' },
    args: (box) => ['build', '--insecure', box.context],
    reached: silent.connected,
  },
  {
    name: 'build: asks the cache',
    files: { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' },
    args: (box) => ['build', '--insecure', `--cache-repo=${silent.host}/cache`, box.context],
    reached: silent.connected,
  },
  {
    name: 'build: downloads for ADD',
    files: { Dockerfile: 'FROM scratch\nADD http://SILENT/x.tar /\n' },
    args: (box) => ['build', box.context],
    reached: silent.connected,
  },
  {
    name: 'build: git for ADD',
    files: { Dockerfile: 'FROM scratch\nADD http://SILENT/x.git /\n' },
    args: (box) => ['build', box.context],
    reached: silent.connected,
  },
  {
    name: 'build: unpacks an archive without end',
    files: { Dockerfile: 'FROM scratch\nADD a.tar.gz /\n' },
    prepare: (box) => writeFileSync(join(box.context, 'a.tar.gz'), longArchive()),
    args: (box) => ['build', '--progress=plain', box.context],
    reached: ({ box }) => bytesBelow(box.work) > 1024 * 1024,
  },
  {
    name: 'build: a RUN that ignores signals',
    files: { Dockerfile: 'FROM BASE\nRUN trap "" TERM INT HUP; sleep 123456 & sleep 123456\n' },
    args: (box) => ['build', box.context],
    reached: starts('sleep 123456'),
    needsBase: true,
  },
  {
    name: 'build: a credential helper that hangs',
    files: { Dockerfile: 'FROM BASE\n' },
    prepare: (box) => {
      mkdirSync(box.path('bin'));
      writeFileSync(box.path('bin/docker-credential-slow'), '#!/bin/sh\ntrap "" TERM\nsleep 123457\n', {
        mode: 0o755,
      });
    },
    args: (box) => ['build', '--insecure', box.context],
    env: (box) => ({
      PATH: `${box.path('bin')}:${process.env.PATH}`,
      ENVBUILDER_DOCKER_CONFIG_BASE64: btoa(
        JSON.stringify({ credHelpers: { [fill('BASE').split('/')[0]!]: 'slow' } }),
      ),
    }),
    reached: starts('sleep 123457'),
    needsBase: true,
  },
  {
    name: 'build: nobody reads its output',
    files: { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' },
    args: (box) => ['build', '--progress=plain', '--verbose', box.context],
    reached: waits,
    full: true,
  },
  {
    name: 'probe: asks the cache',
    files: { Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' },
    args: (box) => ['probe', '--insecure', `--cache-repo=${silent.host}/cache`, box.context],
    reached: silent.connected,
  },
  {
    name: 'read-configuration: asks for the image',
    files: { '.devcontainer.json': '{ "image": "SILENT/x:1" }' },
    args: (box) => [
      'read-configuration',
      '--include-merged-configuration',
      '--insecure',
      `--workspace-folder=${box.context}`,
    ],
    reached: silent.connected,
  },
  {
    name: 'warm: asks for an image',
    args: (box) => ['warm', '--insecure', `--cache-dir=${box.path('bases')}`, `--image=${silent.host}/x:1`],
    reached: silent.connected,
  },
  {
    name: 'start: clones',
    args: () => [],
    env: (box) => ({
      ENVBUILDER_GIT_URL: `http://${silent.host}/r.git`,
      ENVBUILDER_WORKSPACE_FOLDER: box.path('w'),
    }),
    reached: silent.connected,
  },
  {
    name: 'start: clones over SSH',
    args: () => [],
    env: (box) => ({
      ENVBUILDER_GIT_URL: `ssh://git@${silent.host}/r.git`,
      ENVBUILDER_WORKSPACE_FOLDER: box.path('w'),
    }),
    reached: silent.connected,
  },
  {
    name: 'probe of a start: clones',
    args: () => [],
    env: (box) => ({
      ENVBUILDER_GET_CACHED_IMAGE: '1',
      ENVBUILDER_LAYER_CACHE_DIR: box.cache,
      ENVBUILDER_GIT_URL: `http://${silent.host}/r.git`,
      ENVBUILDER_WORKSPACE_FOLDER: box.path('w'),
    }),
    reached: silent.connected,
  },
  {
    name: 'registry serve: open connections',
    args: (box) => ['registry', 'serve', `--dir=${box.path('registry')}`, '--addr=127.0.0.1:0'],
    reached: async ({ output }) => {
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(output())?.[1];
      if (port === undefined) return false;
      for (const text of [
        'POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nab',
        '',
        'GET /',
      ]) {
        const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
        socket.unref();
        await once(socket, 'connect');
        socket.write(text);
      }
      return true;
    },
    code: 0,
  },
  ...['registry gc', 'registry check'].map(
    (command): Phase => ({
      name: `${command}: nobody reads its output`,
      prepare: async (box) => {
        box.write({ Dockerfile: 'FROM scratch\nCOPY f /\n', f: '' });
        const built = await box.build([`--layer-cache-dir=${box.cache}`]);
        assert.equal(built.code, 0, built.output);
      },
      args: (box) => [...command.split(' '), `--dir=${box.cache}`],
      reached: waits,
      full: true,
    }),
  ),
  {
    name: 'k8s: nobody reads its output',
    args: () => ['k8s'],
    reached: waits,
    full: true,
  },
];

/** What holds the main thread: it sees no signal then, whatever it computes, or waits for in the kernel. */
const HOLDS: Readonly<Record<string, string>> = {
  computes: 'for (;;);',
  'is in a system call': "execFileSync('mkfifo', ['fifo']); readFileSync('fifo');",
};

/** @param isLate the threads of the command begin late */
function heldPhase(args: readonly string[], what: string, isLate = false): Phase {
  return {
    name: `${args[0] ?? 'start'}: the main thread ${what}${isLate ? ', and threads begin late' : ''}`,
    files: { Dockerfile: 'FROM SILENT/x:1\n' },
    prepare: (box) => {
      const hold = `
        import { execFileSync } from 'node:child_process';
        import { existsSync, readFileSync, writeFileSync } from 'node:fs';
        import { syncBuiltinESMExports } from 'node:module';
        import threads from 'node:worker_threads';
        const listens = () => process.listenerCount('SIGTERM') > 0;
        const hold = () => { writeFileSync('held', ''); ${HOLDS[what]} };
        const timer = setInterval(() => { if (listens()) hold(); }, 1);
        if (!threads.isMainThread) clearInterval(timer);
        else if (${isLate}) {
          threads.Worker = class extends threads.Worker {
            constructor(file, { execArgv = [], ...options }) {
              super(file, { ...options, execArgv: [...execArgv, '--import=${box.path('late.mjs')}'] });
            }
          };
          syncBuiltinESMExports();
        }`;
      writeFileSync(box.path('hold.mjs'), hold);
      // Wait: this is the lateness itself; with less of it the test sees less, and does not fail.
      const late = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);';
      writeFileSync(box.path('late.mjs'), late);
    },
    args: () => args,
    env: (box) => ({
      NODE_OPTIONS: `--import=${box.path('hold.mjs')}`,
      ENVBUILDER_INSECURE: '1',
      ENVBUILDER_GIT_URL: `http://${silent.host}/r.git`,
      ENVBUILDER_WORKSPACE_FOLDER: box.path('w'),
    }),
    reached: ({ box }) => existsSync(box.path('held')),
  };
}

const SERVE = ['registry', 'serve', '--dir=r', '--addr=127.0.0.1:0'];
const HELD: readonly Phase[] = [
  ...Object.keys(HOLDS).flatMap((what) =>
    [['build', 'context'], ['probe', 'context'], ['k8s'], SERVE, []].map((args) => heldPhase(args, what)),
  ),
  ...Object.keys(HOLDS).map((what) => heldPhase(SERVE, what, true)),
];

const OPTIONS: PhaseOptions = {
  fill,
  missing: () => containers.missing,
  later: async (box, { code }) => {
    box.write({ Dockerfile: 'FROM scratch\nCOPY after /\n', after: 'x' });
    const later = await box.build([`--output=type=oci,dest=${box.path('later')}`]);
    assert.equal(later.code, 0, later.output);
    // A server keeps uploads that may go on.
    if (code === undefined) box.assertClean();
  },
};

for (const [phase, signal] of withSignals([...PHASES, ...HELD]))
  test(`${phase.name}: ${signal}`, (t) => tryPhase(t, [phase, signal], OPTIONS));

test('a second signal ends a command at once', async (t) => {
  const box = createSandbox();
  t.after(() => box.close());
  box.write({ Dockerfile: fill('FROM SILENT/x:1\n') });
  HELD[0]!.prepare!(box);
  const running = startPhase(box, HELD[0]!);
  t.after(() => running.child.kill('SIGKILL'));
  await until('it is held', () => existsSync(running.box.path('held')));
  running.child.kill('SIGTERM');
  // Wait: one signal is behind the other, and nothing tells that it was heard.
  await sleep(50);
  const ended = once(running.child, 'close');
  running.child.kill('SIGINT');
  assert.deepEqual(await ended, [ABORTED, null]);
});

test('the time to clear up leaves the rest of five seconds for the end', () => {
  assert.ok(CLEAR_UP_MS <= 4000);
});

const IN_CONTAINERS: readonly {
  readonly name: string;
  readonly options: () => ContainerOptions;
  readonly reached: RegExp | string;
}[] = [
  {
    name: 'a RUN that ignores signals',
    options: () => ({
      files: { Dockerfile: fill('FROM BASE\nRUN trap "" TERM INT; echo here; sleep 1000\n') },
      env: { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile' },
    }),
    reached: /here$/m,
  },
  {
    name: 'a hook that ignores signals',
    options: () => ({
      files: {
        '.devcontainer.json': fill(
          '{ "image": "BASE", "onCreateCommand": "trap \'\' TERM INT; echo hooked; sleep 1000" }',
        ),
      },
    }),
    reached: /hooked$/m,
  },
  {
    name: 'a setup script that ignores signals',
    options: () => ({
      files: { Dockerfile: fill('FROM BASE\n') },
      env: {
        ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile',
        ENVBUILDER_SETUP_SCRIPT: 'trap "" TERM INT; echo set up; sleep 1000',
      },
    }),
    reached: /set up$/m,
  },
  {
    name: 'a registry that never answers',
    options: () => ({
      files: { Dockerfile: fill('FROM SILENT/x:1\n') },
      env: { ENVBUILDER_DOCKERFILE_PATH: 'Dockerfile', ENVBUILDER_INSECURE: '1' },
    }),
    reached: 'connected',
  },
  {
    name: 'a clone that hangs',
    options: () => ({
      env: {
        ENVBUILDER_GIT_URL: `http://${silent.host}/r.git`,
        ENVBUILDER_WORKSPACE_FOLDER: '/workspaces/new',
      },
    }),
    reached: 'connected',
  },
  {
    name: 'registry serve',
    options: () => ({ args: ['registry', 'serve', '--dir=/r', '--addr=127.0.0.1:0'] }),
    reached: /http:/,
  },
];

for (const { name, options, reached } of IN_CONTAINERS) {
  test(`as process 1 of a container: ${name}: docker stop`, async (t) => {
    if (containers.missing !== undefined) return t.skip(containers.missing);
    const earlier = await silent.connections();
    const container = await containers.start(options());
    if (reached instanceof RegExp) await container.until(reached);
    else while ((await silent.connections()) <= earlier) await stillRuns(container);
    await container.docker('stop', `--time=${LIMIT_MS / 1000}`);
    assert.equal(await container.end(), name === 'registry serve' ? 0 : ABORTED, await container.logs());
  });
}

async function stillRuns(container: Container): Promise<void> {
  const { stdout } = await container.docker('inspect', '--format={{.State.Running}}');
  assert.equal(stdout.toString().trim(), 'true', await container.logs());
  // Wait: between two questions to the engine.
  await sleep(100);
}

function fill(text: string): string {
  const base = containers.missing === undefined ? `${containers.services.registry!.host}/busybox:1` : '';
  return text.replaceAll('SILENT', silent.host).replaceAll('BASE', base);
}

/** An archive of 8 GB in one file, as members of gzip that say the same again and again. */
function longArchive(): Buffer {
  const [member, times] = [64 * 1024 * 1024, 128];
  const header = Buffer.alloc(512);
  const field = (at: number, text: string): void => void header.write(text, at, 'latin1');
  field(0, 'zeros');
  field(100, '0000644\0');
  field(108, '0000000\0');
  field(116, '0000000\0');
  header.writeUInt8(0x80, 124);
  header.writeUIntBE(member * times, 130, 6);
  field(136, '00000000000\0');
  field(148, '        ');
  field(156, '0');
  field(257, 'ustar\0' + '00');
  field(
    148,
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  const zeros = gzipSync(Buffer.alloc(member));
  return Buffer.concat([gzipSync(header), ...Array.from({ length: times }, () => zeros)]);
}

function bytesBelow(dir: string): number {
  if (!existsSync(dir)) return 0;
  return readdirSync(dir, { recursive: true })
    .map((name) => statSync(join(dir, String(name)), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}
