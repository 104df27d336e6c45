/*
 * The thread that ends this process after a signal when it does not end by itself; see end-on-signals.ts. It takes signals
 * through the class that process.on uses, which serves every thread.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is started with. */
export interface SignalWatchSettings {
  /** The exit code. */
  readonly code: number;
  readonly clearUpMs: number;
  readonly signals: readonly NodeJS.Signals[];
}

interface SignalHandle {
  onsignal: () => void;
  start(signal: number): void;
}

interface Internals {
  internalBinding(name: 'signal_wrap'): { readonly Signal: new () => SignalHandle };
}

const { code, clearUpMs, signals } = workerData as SignalWatchSettings;
const { internalBinding } = createRequire('/')('internal/test/binding') as Internals;
const { Signal } = internalBinding('signal_wrap');
let signalled = false;

for (const signal of signals) {
  const handle = new Signal();
  handle.onsignal = () => {
    setTimeout(end, signalled ? 0 : clearUpMs);
    signalled = true;
  };
  handle.start(constants.signals[signal]);
}
parentPort!.postMessage('listens');

/** What it needs is loaded only now, as it costs more than the rest of the thread. */
async function end(): Promise<void> {
  const { endNow } = await import('./end-now.ts');
  endNow(code);
}
