import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '../core/error.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { LayerBlob } from '../layer/types.ts';
import { inLayer } from './extract-errors.ts';
import {
  createFrameWriter,
  type FrameOrder,
  type FrameTarget,
  type FrameTimes,
  writeFrame,
} from './extract-frame-writer.ts';

/** A frame to be verified, decoded and written. */
export interface FrameWork {
  readonly blob: LayerBlob;
  readonly order: FrameOrder;
  /** The frame's compressed bytes. */
  readonly bytes: Buffer;
}

/** Threads that decode frames and write their files. */
export interface FrameWorkers {
  /** Hands a frame over, when there is room. @throws AppError the failure of any frame so far, naming its layer */
  send(work: FrameWork): Promise<void>;
  /** Waits until all frames are written. @throws AppError as `send` */
  finish(): Promise<void>;
  /** Stops; nothing is written once this has resolved. */
  close(): Promise<void>;
}

export interface FrameWorkersOptions {
  readonly target: FrameTarget;
  /** How many frames there will be, and the compressed size of the largest. */
  readonly frames: number;
  readonly maxLength: number;
  readonly onWritten: (order: FrameOrder, spent: FrameTimes) => void;
}

export interface WorkerInput {
  readonly memory: SharedArrayBuffer;
  readonly target: FrameTarget;
}

export interface WorkerOrder {
  readonly slot: number;
  readonly offset: number;
  readonly order: FrameOrder;
}

export interface WorkerAnswer {
  readonly slot: number;
  spent: FrameTimes;
  error?: PackedError;
}

interface PackedError {
  readonly code: ErrorCode | undefined;
  readonly errno: string | undefined;
  readonly message: string;
}

/** Starting threads takes as long as this many frames do. */
const INLINE_FRAMES = 2;
const MAX_FRAME = 64 << 20;
const MAX_WORKERS = 4;
const SLOTS_PER_WORKER = 3;

/**
 * Files are written by as many threads as there are processors, up to four: the kernel's work for a new file is most of
 * the time, and it is done for several at once. All memory for compressed frames is taken once.
 * @throws AppError CORRUPT for a frame of more than 64 MiB
 */
export function createFrameWorkers(options: FrameWorkersOptions): FrameWorkers {
  if (options.maxLength > MAX_FRAME) throw new AppError('CORRUPT', 'a frame is larger than 64 MiB');
  return options.frames <= INLINE_FRAMES ? createInline(options) : createThreads(options);
}

function createInline({ target, onWritten }: FrameWorkersOptions): FrameWorkers {
  const writer = createFrameWriter(target);
  return {
    send: async ({ blob, order, bytes }) => {
      try {
        onWritten(order, writeFrame(writer, order, bytes));
      } catch (error) {
        throw inLayer(blob, error);
      }
    },
    finish: async () => {},
    close: async () => writer.abandon(),
  };
}

function createThreads({ target, maxLength, onWritten }: FrameWorkersOptions): FrameWorkers {
  const count = Math.max(1, Math.min(MAX_WORKERS, availableParallelism()));
  const memory = new SharedArrayBuffer(count * SLOTS_PER_WORKER * maxLength);
  const underway = new Map<number, FrameWork>();
  let failure: Error | undefined;
  let wake = (): void => {};

  const threads = Array.from({ length: count }, (_, index) => {
    const worker = new Worker(entryPoint('extract-worker'), {
      env: ownEnvironment(),
      workerData: { memory, target } satisfies WorkerInput,
    });
    const free = Array.from({ length: SLOTS_PER_WORKER }, (_each, slot) => index * SLOTS_PER_WORKER + slot);
    worker.on('message', ({ slot, spent, error }: WorkerAnswer) => {
      const { blob, order } = underway.get(slot)!;
      underway.delete(slot);
      free.push(slot);
      if (error) failure ??= inLayer(blob, unpackError(error));
      else onWritten(order, spent);
      wake();
    });
    worker.on('error', (cause: Error) => {
      failure ??= new AppError('INTERNAL', `a thread that unpacks layers stopped: ${cause.message}`, {
        cause,
      });
      wake();
    });
    return { worker, free };
  });
  let last = threads[0]!;

  const until = async (ready: () => boolean): Promise<void> => {
    while (failure === undefined && !ready()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if (failure !== undefined) throw failure;
  };

  return {
    send: async (work) => {
      const { order, bytes } = work;
      if (bytes.length !== order.frame.length)
        throw inLayer(work.blob, new AppError('CORRUPT', 'the layer ends too early'));
      // A file that goes on from the frame before is open in the thread that wrote that frame.
      if (order.numbers[0]! >= 0) {
        await until(() => threads.some(({ free }) => free.length > 0));
        last = threads.reduce((best, each) => (each.free.length > best.free.length ? each : best));
      } else await until(() => last.free.length > 0);
      const slot = last.free.pop()!;
      bytes.copy(Buffer.from(memory, slot * maxLength, maxLength));
      underway.set(slot, work);
      last.worker.postMessage({ slot, offset: slot * maxLength, order } satisfies WorkerOrder);
    },
    finish: () => until(() => underway.size === 0),
    close: async () => {
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
