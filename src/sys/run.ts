import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError } from '../core/error.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { InitFailure, InitSpec } from './run-types.ts';
import type { RunMessage } from './run-worker.ts';
import type { RunResult, RunSpec } from './types.ts';

/** Runs a command as described by a RunSpec. */
export type Runner = (spec: RunSpec) => Promise<RunResult>;

/**
 * Runs commands in namespaces of their own, as Docker runs them in a container on the host's network: the command is
 * process 1, sees its root, /proc, /dev and /sys, has Docker's default capabilities, and nothing of our environment. When
 * it ends, or the signal aborts, every process that it left is gone.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, ABORTED when aborted
 */
export function createRunner(): Runner {
  const init = fileURLToPath(entryPoint('run-init'));
  return async ({ onOutput, signal, stdin, ...spec }) => {
    signal?.throwIfAborted();
    const worker = new Worker(entryPoint('run-worker'), {
      env: ownEnvironment(),
      workerData: { spec: spec satisfies InitSpec, init, stdin },
    });
    const abort = (): void => worker.postMessage('kill');
    signal?.addEventListener('abort', abort);
    try {
      const end = await ending(worker, onOutput);
      signal?.throwIfAborted();
      return outcome(end, spec.argv[0] ?? '');
    } finally {
      signal?.removeEventListener('abort', abort);
      await worker.terminate();
    }
  };
}

function ending(
  worker: Worker,
  onOutput: RunSpec['onOutput'],
): Promise<Extract<RunMessage, { type: 'exit' }>> {
  const { promise, resolve, reject } = Promise.withResolvers<Extract<RunMessage, { type: 'exit' }>>();
  worker.on('message', (message: RunMessage) => {
    if (message.type === 'output') onOutput(message.stream, Buffer.from(message.bytes));
    else if (message.type === 'exit') resolve(message);
    else reject(new AppError('PERMISSION', `cannot isolate a RUN: ${message.message}`));
  });
  worker.on('error', reject);
  worker.on('exit', () => reject(new AppError('INTERNAL', 'the thread of a RUN ended without a result')));
  return promise;
}

function outcome(end: Extract<RunMessage, { type: 'exit' }>, program: string): RunResult {
  if (end.status !== '') {
    const failure = JSON.parse(end.status) as InitFailure;
    const details = failure.hint === undefined ? {} : { hint: failure.hint };
    throw new AppError('BUILD_FAILED', `cannot start ${program}: ${failure.message}`, details);
  }
  if (end.signal === null) return { exitCode: end.code ?? 1 };
  return { exitCode: 128 + (constants.signals[end.signal] ?? 0), signal: end.signal };
}
