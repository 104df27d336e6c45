import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { SignalWatchSettings } from './signal-watch.ts';

/** The signals that ask a command to end. */
export const END_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** How long a command may take to clear up after a signal, in milliseconds; Docker kills what is there after ten seconds. */
export const CLEAR_UP_MS = 4000;

/**
 * Has SIGINT and SIGTERM end this process, whatever it does and also when it is process 1, where signals have no default
 * action. The first one calls `onSignal`, so that the command can clear up and end by itself; a thread of its own ends the
 * process with `code`, and all that it has started, when that takes longer than CLEAR_UP_MS or a second one comes. That
 * thread needs nothing of the main thread, which may be held by the kernel or by a computation.
 * @returns once that thread listens: what may hold the main thread, or has to be cleared up, begins after that. Until then
 * a signal has its default action, which ends the process; as process 1 it calls `onSignal`.
 */
export async function endOnSignals(code: number, onSignal: () => void): Promise<void> {
  const settings: SignalWatchSettings = { code, clearUpMs: CLEAR_UP_MS, signals: END_SIGNALS };
  const watch = new Worker(entryPoint('signal-watch'), {
    workerData: settings,
    // Node lets no thread but the main one listen to signals in the documented way.
    execArgv: ['--no-warnings', '--expose-internals'],
    env: ownEnvironment(),
  });
  const listen = (): void => {
    for (const signal of END_SIGNALS) process.on(signal, onSignal);
  };
  const isFirst = process.pid === 1;
  if (isFirst) listen();
  await once(watch, 'message');
  watch.unref();
  if (!isFirst) listen();
}
