import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { AppError } from '../core/error.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { HelperOrder, HelperPlace, HelperReport, InitFailure } from './run-types.ts';
import type { RunResult, RunSpec } from './types.ts';

/** A process of ours that starts the commands of RUNs; it lives until it is closed, and no longer than we do. */
export interface HelperProcess {
  /**
   * Runs a command.
   * @throws AppError BUILD_FAILED when it cannot be started, PERMISSION when it cannot be isolated; the reason of the signal
   * when it is aborted
   */
  run(spec: RunSpec): Promise<RunResult>;
  /** Whether it can run another command. */
  usable(): boolean;
  /** Ends it and all that it started, and waits for that; may be called twice. */
  close(): Promise<void>;
}

interface Waiting {
  readonly spec: RunSpec;
  readonly resolve: (result: RunResult) => void;
  readonly reject: (error: unknown) => void;
}

type End = Exclude<HelperReport, { type: 'output' }>;

const SAID_BYTES = 4096;

/**
 * @param place in which surroundings its commands start
 * @param start starts it; for whom the kernel needs to be told something first
 */
export function startHelper(
  place: HelperPlace,
  start: (spawnIt: () => ChildProcess) => ChildProcess = (spawnIt) => spawnIt(),
): HelperProcess {
  const child = start(() =>
    spawn(process.execPath, ['--no-warnings', fileURLToPath(entryPoint('run-helper')), place], {
      env: ownEnvironment(),
      cwd: '/',
      detached: true,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    }),
  );
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let said = '';
  let gone = false;
  const ended = new Promise<void>((resolve) => {
    const end = (reason: string): void => {
      gone = true;
      const error = new AppError(
        'INTERNAL',
        `the helper that starts RUNs ended: ${reason}${said && `: ${said}`}`,
      );
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      resolve();
    };
    child.once('error', (error) => end(error.message));
    // Not its event `close`, which never comes when the channel is closed while a message is handled.
    child.once('exit', (code, signal) => {
      const done = (): void => end(signal ?? `code ${code}`);
      if (child.stderr!.closed) done();
      else child.stderr!.once('close', done);
    });
  });
  child.stderr!.on('data', (bytes: Buffer) => {
    said = (said + bytes.toString('utf8')).slice(-SAID_BYTES);
  });
  child.on('message', (report: HelperReport) => {
    const run = waiting.get(report.id);
    if (!run) return;
    if (report.type === 'output') return run.spec.onOutput(report.stream, Buffer.from(report.bytes));
    waiting.delete(report.id);
    settle(run, report);
    if (waiting.size === 0) idle(child);
  });
  idle(child);

  return {
    run: ({ signal, ...spec }) => {
      const { promise, resolve, reject } = Promise.withResolvers<RunResult>();
      if (gone)
        return Promise.reject(new AppError('INTERNAL', `the helper that starts RUNs is gone: ${said}`));
      const id = count;
      count += 1;
      const tell = (order: HelperOrder): void => {
        if (child.connected) child.send(order);
      };
      const abort = (): void => tell({ type: 'kill', id });
      waiting.set(id, { spec, resolve, reject });
      busy(child);
      const { onOutput, ...told } = spec;
      tell({ type: 'start', id, spec: told });
      signal?.addEventListener('abort', abort, { once: true });
      return promise.finally(() => signal?.removeEventListener('abort', abort));
    },
    usable: () => !gone && child.connected,
    close: async () => {
      busy(child);
      // The kernel ends all that an isolated one has started; another one has to do that itself.
      if (place === 'isolated') child.kill('SIGKILL');
      else if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** It keeps us alive only while there is something to wait for. */
function idle(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  (child.stderr as unknown as { unref(): void } | null)?.unref();
}

function busy(child: ChildProcess): void {
  child.ref();
  child.channel?.ref();
}

function settle({ spec, resolve, reject }: Waiting, report: End): void {
  if (report.type === 'not-isolated') {
    return reject(new AppError('PERMISSION', `cannot isolate a RUN: ${report.message}`));
  }
  if (report.type === 'not-started') return reject(notStarted(spec.argv[0] ?? '', report.failure));
  const { end } = report;
  if ('code' in end) return resolve({ exitCode: end.code });
  const names = Object.entries(constants.signals);
  const signal = names.find(([, number]) => number === end.signal)?.[0] ?? `signal ${end.signal}`;
  resolve({ exitCode: 128 + end.signal, signal });
}

function notStarted(program: string, { message, hint }: InitFailure): AppError {
  return new AppError(
    'BUILD_FAILED',
    `cannot start ${program}: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
