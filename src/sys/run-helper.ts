/*
 * Starts the commands of RUNs, one after another or at once, since a process of Node for each of them would cost more than
 * all the rest of a small RUN. There is none of our secrets in it. Namespaces, root and directory belong to the thread that
 * this runs in: it takes those of a command, starts it, and goes back before anything else runs.
 */
import { openSync } from 'node:fs';
import { Socket } from 'node:net';
import { createHelperCalls } from './helper-calls.ts';
import { createLauncher, type Launched } from './run-launch.ts';
import { createHerePlace, createIsolatedPlace } from './run-place.ts';
import type { HelperOrder, HelperPlace, HelperReport, HelperSpec, InitFailure } from './run-types.ts';
import { createSyscalls } from './syscalls.ts';

const where = process.argv[2] as HelperPlace;
const [syscalls, calls] = [createSyscalls(), createHelperCalls()];
syscalls.hideProcess();
const place = where === 'here' ? createHerePlace(syscalls) : createIsolatedPlace(syscalls, calls);
const launch = createLauncher({ syscalls, calls, place, stdin: openSync('/dev/null', 'r') });

/** Commands that have not ended, by the number of their RUN. */
const running = new Map<number, { readonly pid: number; readonly said: Promise<unknown> }>();

process.on('SIGCHLD', () => {
  for (const id of running.keys()) lookAt(id);
});
process.on('message', (order: HelperOrder) => {
  if (order.type === 'start') start(order.id, order.spec);
  else kill(order.id);
});
process.on('disconnect', () => {
  place.endAll();
  process.exit(0);
});

function start(id: number, spec: HelperSpec): void {
  let launched: Launched | InitFailure;
  let leave: () => void;
  try {
    leave = place.enter(spec);
  } catch (error) {
    return report({ type: 'not-isolated', id, message: (error as Error).message });
  }
  try {
    launched = launch(spec);
  } finally {
    surely(leave);
  }
  if ('message' in launched) return report({ type: 'not-started', id, failure: launched });
  const said = [forward(id, 'stdout', launched.stdout), forward(id, 'stderr', launched.stderr)];
  running.set(id, { pid: launched.pid, said: Promise.all(said) });
}

/** Does what has to succeed, or ends the process: no command may start where another one belongs. */
function surely(work: () => void): void {
  try {
    work();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

/** Reports how a command ended when it has, and all that it said is reported. */
function lookAt(id: number): void {
  const { pid, said } = running.get(id)!;
  const end = calls.endOf(pid);
  if (end === undefined) return;
  running.delete(id);
  place.endAll();
  void said.then(() => report({ type: 'ended', id, end }));
}

function kill(id: number): void {
  const run = running.get(id);
  if (run) process.kill(run.pid, 'SIGKILL');
}

function forward(id: number, stream: 'stdout' | 'stderr', fd: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on('data', (bytes: Buffer) => report({ type: 'output', id, stream, bytes }));
  socket.on('error', () => {});
  socket.on('close', () => resolve());
  return promise;
}

function report(message: HelperReport): void {
  process.send?.(message);
}
