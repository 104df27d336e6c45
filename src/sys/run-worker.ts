/*
 * A thread of its own for every RUN: unshare(2) moves only the calling thread into new namespaces, and the process that
 * it starts then is the first one in them. The rest of the program stays where it is.
 */
import { spawn } from 'node:child_process';
import { parentPort, workerData } from 'node:worker_threads';
import { ownEnvironment } from '../core/own-files.ts';
import { CLONE, MS } from './constants.ts';
import type { InitSpec } from './run-types.ts';
import { createSyscalls } from './syscalls.ts';

/** Messages to the thread that started the RUN. */
export type RunMessage =
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | {
      readonly type: 'exit';
      readonly code: number | null;
      readonly signal: NodeJS.Signals | null;
      readonly status: string;
    }
  | { readonly type: 'error'; readonly message: string };

interface WorkerInput {
  readonly spec: InitSpec;
  readonly init: string;
  readonly stdin: Uint8Array | undefined;
}

const port = parentPort!;
const send = (message: RunMessage): void => port.postMessage(message);

function run({ spec, init, stdin }: WorkerInput): void {
  const syscalls = createSyscalls();
  const network = spec.network === 'none' ? CLONE.NEWNET : 0;
  syscalls.unshare(CLONE.NEWNS | CLONE.NEWPID | CLONE.NEWUTS | CLONE.NEWIPC | network);
  syscalls.mount('', '/', '', MS.REC | MS.PRIVATE);
  if (network !== 0) syscalls.loopbackUp();
  const child = spawn(process.execPath, ['--no-warnings', init], {
    env: ownEnvironment(),
    cwd: '/',
    detached: true,
    stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  let status = '';
  child.stdout!.on('data', (bytes: Buffer) => send({ type: 'output', stream: 'stdout', bytes }));
  child.stderr!.on('data', (bytes: Buffer) => send({ type: 'output', stream: 'stderr', bytes }));
  child.stdio[4]!.on('data', (bytes: Buffer) => {
    status += bytes.toString('utf8');
  });
  const specPipe = child.stdio[3] as NodeJS.WritableStream;
  specPipe.on('error', () => {});
  specPipe.end(JSON.stringify(spec));
  child.stdin?.on('error', () => {});
  child.stdin?.end(stdin);
  port.on('message', () => child.kill('SIGKILL'));
  child.on('error', (error) => send({ type: 'error', message: error.message }));
  child.on('close', (code, signal) => {
    send({ type: 'exit', code, signal, status });
    port.close();
  });
}

try {
  run(workerData as WorkerInput);
} catch (error) {
  send({ type: 'error', message: (error as Error).message });
  port.close();
}
