import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../core/error.ts';
import { entryPoint, ownEnvironment } from '../../core/own-files.ts';
import type { CopyBatch } from './copy-batch.ts';

/** What a thread is told at last: to close what it has open, and end. */
export const NO_MORE = 'no more';

/** What a thread is told, and what it answers: indices of files that it did not copy. */
export interface CopyOrder {
  readonly id: number;
  readonly batch: CopyBatch;
}

/** @see CopyOrder */
export interface CopyAnswer {
  readonly id: number;
  readonly left: readonly number[];
}

/** Threads that copy batches of files. */
export interface CopyThreads {
  /**
   * Hands a batch over, as soon as a thread has room for it.
   * @param onDone gets the indices of the files that are left to the caller
   * @throws AppError INTERNAL when a thread has ended, as finish() does
   */
  send(batch: CopyBatch, onDone: (left: readonly number[]) => void): Promise<void>;
  /** Waits until all that was handed over is done. */
  finish(): Promise<void>;
  /** Waits until all is done and the threads have ended. */
  close(): Promise<void>;
}

const MOST_THREADS = 4;
/** Batches that a thread has at most, so that it never waits for us and little is kept for it. */
const QUEUE = 2;

/** How many threads copy at once: the kernel's work for a new file is most of the time. */
export function copyThreadCount(): number {
  return Math.min(MOST_THREADS, availableParallelism());
}

/**
 * Starts threads, which the caller must close.
 * @param root as of createBatchCopier
 */
export function createCopyThreads(root: string): CopyThreads {
  const underway = new Map<number, (left: readonly number[]) => void>();
  let failure: AppError | undefined;
  let nextId = 0;
  let closing = false;
  let wake = (): void => {};
  const fail = (message: string, cause?: Error): void => {
    failure ??= new AppError('INTERNAL', message, cause ? { cause } : {});
    wake();
  };
  const threads = Array.from({ length: copyThreadCount() }, () => {
    const worker = new Worker(entryPoint('copy-worker'), {
      env: ownEnvironment(),
      workerData: root,
      // It closes what it opens by openat2, which Node does not know of.
      trackUnmanagedFds: false,
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const thread = { worker, queued: 0, ended };
    worker.on('message', ({ id, left }: CopyAnswer) => {
      thread.queued -= 1;
      underway.get(id)!(left);
      underway.delete(id);
      wake();
    });
    worker.on('error', (cause: Error) => fail(`a thread that copies files stopped: ${cause.message}`, cause));
    worker.on('exit', (code) => {
      end();
      if (!closing) fail(`a thread that copies files ended with code ${code}`);
    });
    return thread;
  });
  const until = async (isSo: () => boolean): Promise<void> => {
    while (failure === undefined && !isSo()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure) throw failure;
  };
  const idlest = () => threads.reduce((best, each) => (each.queued < best.queued ? each : best));
  return {
    send: async (batch, onDone) => {
      await until(() => idlest().queued < QUEUE);
      const thread = idlest();
      const id = nextId++;
      underway.set(id, onDone);
      thread.queued += 1;
      thread.worker.postMessage({ id, batch } satisfies CopyOrder, [batch.rows.buffer]);
    },
    finish: () => until(() => underway.size === 0),
    close: async () => {
      closing = true;
      for (const { worker } of threads) worker.postMessage(NO_MORE);
      await Promise.all(threads.map(({ ended }) => ended));
    },
  };
}
