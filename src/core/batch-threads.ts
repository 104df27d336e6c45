import { availableParallelism } from 'node:os';
import { parentPort, Worker } from 'node:worker_threads';
import { AppError } from './error.ts';
import { type EntryPoint, entryPoint, ownEnvironment } from './own-files.ts';

/** Threads that all do the same to batches of files. */
export interface BatchThreads<Batch, Answer> {
  /**
   * Hands a batch over, as soon as a thread has room for it.
   * @param transfer memory of the batch that is the thread's from then on
   * @throws AppError INTERNAL when a thread has ended, as finish() does
   */
  send(batch: Batch, transfer: readonly ArrayBuffer[], onAnswer: (answer: Answer) => void): Promise<void>;
  /** Waits until all that was handed over is answered. */
  finish(): Promise<void>;
  /** Waits until all is done and the threads have ended. */
  close(): Promise<void>;
}

export interface BatchThreadsOptions {
  /** A script that calls serveBatches(). */
  readonly script: EntryPoint;
  /** Its workerData. */
  readonly data: unknown;
  /** What the threads do, for errors: "copies files". */
  readonly what: string;
}

/** What a thread is told at last: to close what it has open, and end. */
const NO_MORE = 'no more';

interface Order<Batch> {
  readonly id: number;
  readonly batch: Batch;
}

interface Reply<Answer> {
  readonly id: number;
  readonly answer: Answer;
}

const MOST_THREADS = 4;
/** Batches that a thread has at most, so that it never waits for us and little is kept for it. */
const QUEUE = 2;

/** How many threads there would be. */
export function batchThreadCount(): number {
  return Math.min(MOST_THREADS, availableParallelism());
}

/** Starts threads, which the caller must close. */
export function createBatchThreads<Batch, Answer>({
  script,
  data,
  what,
}: BatchThreadsOptions): BatchThreads<Batch, Answer> {
  const underway = new Map<number, (answer: Answer) => void>();
  let failure: AppError | undefined;
  let nextId = 0;
  let closing = false;
  let wake = (): void => {};
  const fail = (message: string, cause?: Error): void => {
    failure ??= new AppError('INTERNAL', message, cause ? { cause } : {});
    wake();
  };
  const threads = Array.from({ length: batchThreadCount() }, () => {
    const worker = new Worker(entryPoint(script), {
      env: ownEnvironment(),
      workerData: data,
      // It closes what it opens by openat2, which Node does not know of.
      trackUnmanagedFds: false,
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const thread = { worker, queued: 0, ended };
    worker.on('message', ({ id, answer }: Reply<Answer>) => {
      const onAnswer = underway.get(id)!;
      underway.delete(id);
      thread.queued -= 1;
      onAnswer(answer);
      wake();
    });
    worker.on('error', (cause: Error) => fail(`a thread that ${what} stopped: ${cause.message}`, cause));
    worker.on('exit', (code) => {
      end();
      if (!closing) fail(`a thread that ${what} ended with code ${code}`);
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
    send: async (batch, transfer, onAnswer) => {
      await until(() => idlest().queued < QUEUE);
      const thread = idlest();
      const id = nextId++;
      underway.set(id, onAnswer);
      thread.queued += 1;
      thread.worker.postMessage({ id, batch } satisfies Order<Batch>, transfer);
    },
    finish: () => until(() => underway.size === 0),
    close: async () => {
      closing = true;
      for (const { worker } of threads) worker.postMessage(NO_MORE);
      await Promise.all(threads.map(({ ended }) => ended));
    },
  };
}

/**
 * Answers batches in a thread of createBatchThreads().
 * @param close closes what the thread has open: its end does not, where openat2 opened it
 */
export function serveBatches<Batch, Answer>(answer: (batch: Batch) => Answer, close: () => void): void {
  parentPort!.on('message', (order: Order<Batch> | typeof NO_MORE) => {
    if (order === NO_MORE) {
      close();
      parentPort!.close();
      return;
    }
    const { id, batch } = order;
    parentPort!.postMessage({ id, answer: answer(batch) } satisfies Reply<Answer>);
  });
}
