import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import { type Digest, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import { FRAME_BYTES, outputBound } from './frames.ts';
import type { Compression } from './types.ts';

/** Part of the layer format: another level gives other bytes, and a layer must not depend on who wrote it. */
const ZSTD_LEVEL = 2;
const GZIP_LEVEL = 6;
const MOST_THREADS = 8;

export interface CompressedFrame {
  /** Of a slot, they are valid until it is released. */
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/** Memory of one frame, shared with the workers. */
export interface FrameSlot {
  /** FRAME_BYTES to fill. */
  readonly input: Buffer;
  /** Compresses the first `length` bytes of the input; once only. */
  compress(length: number, compression: Compression): Promise<CompressedFrame>;
  /** Gives the memory back; whoever took a slot must, when the frame is used or given up. */
  release(): void;
}

/** Compresses frames, several at once; the result depends on the bytes alone. All memory is taken once. */
export interface CompressPool {
  /** A free slot; undefined when there is none, or somebody has waited for one before. */
  tryTake(): FrameSlot | undefined;
  /** Waits for a slot. A caller that holds slots itself must not, or all may wait for each other. */
  take(): Promise<FrameSlot>;
  close(): Promise<void>;
}

/**
 * One frame, compressed in this thread. The one-shot call is used since the output of zlib's streams depends on how
 * their input is cut (nodejs/node#66078).
 */
export function compressFrame(frame: Uint8Array, compression: Compression): CompressedFrame {
  const bytes = compressBytes(frame, compression);
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

function compressBytes(frame: Uint8Array, compression: Compression): Buffer {
  if (compression === 'none') return Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  const chunkSize = outputBound(frame.length);
  if (compression === 'gzip') return gzipSync(frame, { level: GZIP_LEVEL, chunkSize });
  return zstdCompressSync(frame, {
    chunkSize,
    pledgedSrcSize: frame.length,
    params: {
      [zlib.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
      [zlib.ZSTD_c_contentSizeFlag]: 1,
      [zlib.ZSTD_c_checksumFlag]: 0,
    },
  });
}

/** What a worker is told: the first `length` bytes of slot `slot` are to be compressed. */
export interface CompressOrder {
  readonly slot: number;
  readonly length: number;
  readonly compression: Compression;
}

export interface CompressAnswer {
  readonly slot: number;
  readonly length: number;
  readonly digest: string;
  readonly error?: string;
}

const OUTPUT_BYTES = outputBound(FRAME_BYTES);
const SLOT_BYTES = FRAME_BYTES + OUTPUT_BYTES;

/** Where a slot's input and output lie in the memory that all threads share. */
export function slotViews(memory: SharedArrayBuffer, slot: number): { input: Buffer; output: Buffer } {
  const at = slot * SLOT_BYTES;
  return {
    input: Buffer.from(memory, at, FRAME_BYTES),
    output: Buffer.from(memory, at + FRAME_BYTES, OUTPUT_BYTES),
  };
}

/**
 * Worker threads that compress; started with the first frame that fills a slot, so that a small layer, whose writer
 * compresses it itself, never pays for them. `close` must be called, or the process stays.
 */
export function createCompressPool(options: { readonly threads?: number } = {}): CompressPool {
  const threads = options.threads ?? availableParallelism();
  const count = Math.min(threads, MOST_THREADS);
  // One that is filled and one that is written, besides those that are compressed.
  const slots = count + 2;
  let memory: SharedArrayBuffer | undefined;
  let workers: ReturnType<typeof startWorker>[] = [];
  let next = 0;
  const free = Array.from({ length: slots }, (_, slot) => slot);
  const waiting: ((slot: FrameSlot) => void)[] = [];

  const open = (slot: number): FrameSlot => {
    memory ??= new SharedArrayBuffer(slots * SLOT_BYTES);
    const { input, output } = slotViews(memory, slot);
    let held = true;
    return {
      input,
      compress: async (length, compression) => {
        if (workers.length === 0) workers = Array.from({ length: count }, () => startWorker(memory!));
        next = (next + 1) % count;
        const answer = await workers[next]!.compress({ slot, length, compression });
        if (!isDigest(answer.digest)) throw new AppError('INTERNAL', 'a compression worker gave no digest');
        return { bytes: output.subarray(0, answer.length), digest: answer.digest };
      },
      release: () => {
        if (!held) return;
        held = false;
        const first = waiting.shift();
        if (first) first(open(slot));
        else free.push(slot);
      },
    };
  };
  const tryTake = (): FrameSlot | undefined => {
    const slot = waiting.length === 0 ? free.pop() : undefined;
    return slot === undefined ? undefined : open(slot);
  };
  return {
    tryTake,
    take: async () => tryTake() ?? new Promise((resolve) => waiting.push(resolve)),
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}

interface Job {
  readonly resolve: (answer: CompressAnswer) => void;
  readonly reject: (error: unknown) => void;
}

function startWorker(memory: SharedArrayBuffer) {
  const worker = new Worker(entryPoint('compress-worker'), {
    env: ownEnvironment(),
    workerData: memory,
  });
  const jobs: Job[] = [];
  let gone: Error | undefined;
  const end = (error: Error): void => {
    gone ??= error;
    for (const job of jobs.splice(0)) job.reject(error);
  };
  worker.on('message', (answer: CompressAnswer) => {
    const job = jobs.shift();
    if (answer.error === undefined) job?.resolve(answer);
    else job?.reject(new AppError('INTERNAL', `a frame cannot be compressed: ${answer.error}`));
  });
  worker.on('error', end);
  worker.on('exit', (code) =>
    end(new AppError('INTERNAL', `a thread that compresses layers ended with code ${code}`)),
  );
  worker.unref();
  return {
    compress: (order: CompressOrder): Promise<CompressAnswer> => {
      if (gone) return Promise.reject(gone);
      const { promise, resolve, reject } = Promise.withResolvers<CompressAnswer>();
      jobs.push({ resolve, reject });
      worker.ref();
      worker.postMessage(order);
      return promise.finally(() => {
        if (jobs.length === 0) worker.unref();
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
