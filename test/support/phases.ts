import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { before, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODES } from '../../src/core/error.ts';
import { END_SIGNALS } from '../../src/sys/end-on-signals.ts';
import { commandLine } from './envbuilder.ts';
import { descendants } from './processes.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

const PROMISED_MS = 5000;
/** What a command has on a busy machine; each phase would go on for ever, so it says enough. */
export const LIMIT_MS = 10 * PROMISED_MS;
export const ABORTED = EXIT_CODES.ABORTED.exit;

/** A command that has been started. */
export interface Running {
  readonly box: Sandbox;
  readonly child: ChildProcess;
  readonly output: () => string;
}

/** Something that a command is at when it gets a signal, and would be for ever. */
export interface Phase {
  readonly name: string;
  /** Files of the sandbox's context, filled in by `fill` of PhaseOptions. */
  readonly files?: Readonly<Record<string, string>>;
  readonly prepare?: (box: Sandbox) => void | Promise<void>;
  readonly args: (box: Sandbox) => readonly string[];
  readonly env?: (box: Sandbox) => Readonly<Record<string, string>>;
  /** Whether the command has got there. */
  readonly reached: (running: Running) => boolean | Promise<boolean>;
  readonly needsBase?: boolean;
  /** Nobody reads what it prints, and the pipe is full. */
  readonly full?: boolean;
  /** The exit code, where the signal is how the command is meant to end. */
  readonly code?: number;
}

/** What the phases of a file have in common. */
export interface PhaseOptions {
  readonly fill: (text: string) => string;
  /** Why phases that need a base image cannot be tried. */
  readonly missing: () => string | undefined;
  /** Shows that what a command left is no obstacle. */
  readonly later: (box: Sandbox, phase: Phase) => Promise<void>;
}

/** A server that takes connections and never answers, for the tests of a file. */
export interface SilentServer {
  readonly host: string;
  readonly connections: () => Promise<number>;
  readonly connected: () => Promise<boolean>;
}

export function useSilentServer(): SilentServer {
  const server = createServer((socket) => socket.on('error', () => {}).resume());
  let host = '';
  before(async () => {
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  const connections = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  return {
    get host() {
      return host;
    },
    connections,
    connected: async () => (await connections()) > 0,
  };
}

/** The phase is reached when the command has started a program. */
export const starts =
  (program: string) =>
  ({ child }: Running): boolean =>
    descendants(child.pid!).some((entry) => entry.arguments.startsWith(program));

/** Each phase with its signal: one after the other. */
export function withSignals(
  phases: readonly Phase[],
): readonly (readonly [phase: Phase, signal: NodeJS.Signals])[] {
  return phases.map((phase, index) => [phase, END_SIGNALS[index % END_SIGNALS.length]!]);
}

/** A test of a phase: the command ends in time and in order, and leaves nothing. */
export async function tryPhase(
  t: TestContext,
  [phase, signal]: readonly [Phase, NodeJS.Signals],
  { fill, missing, later }: PhaseOptions,
): Promise<void> {
  const why = missing();
  if (phase.needsBase && why !== undefined) return t.skip(why);
  const box = createSandbox();
  t.after(() => box.close());
  const filled = Object.entries(phase.files ?? {}).map(([name, text]) => [name, fill(text)]);
  box.write(Object.fromEntries(filled));
  await phase.prepare?.(box);
  const running = startPhase(box, phase);
  const { child, output } = running;
  t.after(() => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  while (!(await phase.reached(running))) {
    assert.ok(child.exitCode === null && child.signalCode === null, `ended too soon: ${output()}`);
    // Wait: between two looks; it fails as soon as the command has ended.
    await sleep(20);
  }
  const below = descendants(child.pid!).filter((entry) => entry.arguments !== '');
  const since = performance.now();
  child.kill(signal);
  // Wait: ten times what is promised.
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const [code] = (await ended) as [number | null];
  clearTimeout(timer);
  assert.equal(code, phase.code ?? ABORTED, `${performance.now() - since} ms\n${output()}`);
  const left = () => below.filter(({ pid }) => existsSync(`/proc/${pid}/exe`));
  const latest = performance.now() + PROMISED_MS;
  // Wait: on a loaded machine a process that has been killed takes its moment to go.
  while (left().length > 0 && performance.now() < latest) await sleep(20);
  assert.deepEqual(left(), [], 'processes are left');
  await later(box, phase);
}

/** Starts the command of a phase. */
export function startPhase(box: Sandbox, { args, env, full }: Phase): Running {
  const pipe = full ? fullPipe(box) : undefined;
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ENVBUILDER_|KANIKO_|DOCKER_|NODE_|SSL_CERT_)/.test(name),
  );
  const child = spawn(commandLine, args(box), {
    cwd: box.dir,
    env: {
      ...Object.fromEntries(kept),
      HOME: box.dir,
      ENVBUILDER_WORK_DIR: box.work,
      ENVBUILDER_STATE_DIR: box.state,
      ...env?.(box),
    },
    stdio: ['ignore', pipe ?? 'pipe', pipe ?? 'pipe'],
  });
  if (pipe !== undefined) closeSync(pipe);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += String(chunk)));
  return { box, child, output: () => text };
}

/** A pipe that takes nothing more. This process keeps the end to read from open. */
function fullPipe(box: Sandbox): number {
  const path = box.path('full');
  execFileSync('mkfifo', [path]);
  const both = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  for (const size of [4096, 1]) {
    try {
      for (;;) writeSync(both, Buffer.alloc(size));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN');
    }
  }
  return openSync(path, constants.O_WRONLY);
}
