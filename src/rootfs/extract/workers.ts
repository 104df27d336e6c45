import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../../core/error.ts';
import { entryPoint, ownEnvironment } from '../../core/own-files.ts';
import type { LayerBlob, TocFrame } from '../../layer/types.ts';
import { inLayer } from './errors.ts';
import type { FrameOrder } from './frame-order.ts';
import { createFrameWriter, type FrameTarget, type FrameTimes, writeFrame } from './frame-writer.ts';

/** A frame to be verified, decoded and written. */
export interface FrameWork {
  readonly blob: LayerBlob;
  readonly frame: TocFrame;
  /**
   * Says what is in it and what becomes of that. Called once, in the order of `send`, when a thread is free for it: small
   * frames may hold thousands of files.
   */
  readonly order: () => FrameOrder;
  /** Where its compressed bytes lie in the shared memory. */
  readonly offset: number;
  /** Called once its files are written. */
  readonly onWritten: (spent: FrameTimes) => void;
}

/** Threads that decode frames and write their files. */
export interface FrameWorkers {
  /** Hands a frame over; frames may be done in any order. @throws AppError the failure of any frame so far, naming its layer */
  send(work: FrameWork): void;
  /** Since when nothing has been to do (performance.now), or undefined. */
  idleSince(): number | undefined;
  /** Waits until all frames are written. @throws AppError as `send` */
  finish(): Promise<void>;
  /** Stops; nothing is written once this has resolved. */
  close(): Promise<void>;
}

export interface FrameWorkersOptions {
  readonly target: FrameTarget;
  readonly memory: SharedArrayBuffer;
  /** Whether there is so much to do that starting threads pays. */
  readonly threads: boolean;
  /** Called once when a frame cannot be written, for whoever waits for others to be. */
  readonly onFailure: () => void;
}

export interface WorkerInput {
  readonly memory: SharedArrayBuffer;
  readonly target: FrameTarget;
}

export interface WorkerOrder {
  readonly id: number;
  readonly offset: number;
  readonly order: FrameOrder;
}

export interface WorkerAnswer {
  readonly id: number;
  spent: FrameTimes;
  error?: PackedError;
}

interface PackedError {
  readonly code: ErrorCode | undefined;
  readonly errno: string | undefined;
  readonly message: string;
}

const MAX_WORKERS = 4;
/** Frames that a thread has at most, so that it never waits for the main thread and yet none is left with all the work. */
const QUEUE = 2;

/**
 * Files are written by as many threads as there are processors, up to four: the kernel's work for a new file is most of
 * the time, and it is done for several at once.
 */
export function createFrameWorkers(options: FrameWorkersOptions): FrameWorkers {
  return options.threads ? createThreads(options) : createInline(options);
}

function createInline({ target, memory }: FrameWorkersOptions): FrameWorkers {
  const write = createFrameWriter(target);
  return {
    send: ({ blob, frame, order, offset, onWritten }) => {
      try {
        onWritten(writeFrame(write, order(), Buffer.from(memory, offset, frame.length)));
      } catch (error) {
        throw inLayer(blob, error);
      }
    },
    idleSince: () => 0,
    finish: async () => {},
    close: async () => {},
  };
}

function createThreads({ target, memory, onFailure }: FrameWorkersOptions): FrameWorkers {
  const count = Math.max(1, Math.min(MAX_WORKERS, availableParallelism()));
  const waiting: FrameWork[] = [];
  const underway = new Map<number, FrameWork>();
  let failure: Error | undefined;
  let idle: number | undefined = performance.now();
  let nextId = 0;
  let closing = false;
  let wake = (): void => {};

  const fail = (error: Error): void => {
    if (failure !== undefined) return;
    failure = error;
    onFailure();
    wake();
  };
  const threads = Array.from({ length: count }, () => {
    const worker = new Worker(entryPoint('extract-worker'), {
      env: ownEnvironment(),
      workerData: { memory, target } satisfies WorkerInput,
    });
    const thread = { worker, queued: 0 };
    worker.on('message', ({ id, spent, error }: WorkerAnswer) => {
      const { blob, onWritten } = underway.get(id)!;
      underway.delete(id);
      thread.queued -= 1;
      if (error) return fail(inLayer(blob, unpackError(error)));
      if (failure) return;
      try {
        onWritten(spent);
      } catch (thrown) {
        return fail(inLayer(blob, thrown));
      }
      dispatch();
      if (underway.size > 0) return;
      idle = performance.now();
      wake();
    });
    worker.on('error', (cause: Error) =>
      fail(
        new AppError('INTERNAL', `a thread that unpacks layers stopped: ${cause.message}`, {
          cause,
        }),
      ),
    );
    worker.on('exit', (code) => {
      if (!closing) fail(new AppError('INTERNAL', `a thread that unpacks layers ended with code ${code}`));
    });
    return thread;
  });

  const dispatch = (): void => {
    while (waiting.length > 0) {
      const thread = threads.reduce((best, each) => (each.queued < best.queued ? each : best));
      if (thread.queued >= QUEUE) return;
      const work = waiting.shift()!;
      let order: FrameOrder;
      try {
        order = work.order();
      } catch (thrown) {
        return fail(inLayer(work.blob, thrown));
      }
      const id = nextId++;
      underway.set(id, work);
      thread.queued += 1;
      idle = undefined;
      // What is handed over takes no memory here any more.
      thread.worker.postMessage({ id, offset: work.offset, order } satisfies WorkerOrder, [
        order.numbers.buffer,
      ]);
    }
  };

  return {
    send: (work) => {
      if (failure !== undefined) throw failure;
      waiting.push(work);
      dispatch();
    },
    idleSince: () => idle,
    finish: async () => {
      while (failure === undefined && underway.size > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure;
    },
    close: async () => {
      closing = true;
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

/** An error in a form that survives the way between threads. */
export function packError(error: unknown): PackedError {
  const { code, message } = error as NodeJS.ErrnoException;
  return error instanceof AppError
    ? { code: error.code, errno: undefined, message }
    : { code: undefined, errno: code, message };
}

function unpackError({ code, errno, message }: PackedError): Error {
  return code ? new AppError(code, message) : Object.assign(new Error(message), { code: errno });
}
