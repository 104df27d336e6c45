import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError } from '../core/error.ts';
import { decodeFrame } from '../layer/frames.ts';
import type { TocFrame } from '../layer/types.ts';

/** Verifies and decodes frames, in worker threads unless there are few. */
export interface FrameDecoder {
  /** At most `slots` frames may be decoded and not released at any time. @throws AppError CORRUPT */
  decode(bytes: Buffer, frame: TocFrame): Promise<DecodedFrame>;
  close(): void;
}

export interface DecodedFrame {
  /** Valid until `release`. */
  readonly bytes: Buffer;
  release(): void;
}

export interface DecoderMemory {
  readonly memory: SharedArrayBuffer;
}

export interface DecodeOrder {
  readonly slot: number;
  readonly inOffset: number;
  readonly outOffset: number;
  readonly frame: TocFrame;
}

export interface DecodeAnswer {
  readonly slot: number;
  readonly problem: string | undefined;
}

/** Starting a worker takes as long as decoding this many frames. */
const INLINE_FRAMES = 2;
const MAX_FRAME = 64 << 20;
const MAX_WORKERS = 3;

/**
 * All memory is taken once, so it depends on the size of the largest frame only.
 * @param frames all that will be decoded
 * @throws AppError CORRUPT for a frame of more than 64 MiB
 */
export function createFrameDecoder(frames: readonly TocFrame[], slots: number): FrameDecoder {
  const inSize = frames.reduce((max, { length }) => Math.max(max, length), 0);
  const outSize = frames.reduce((max, { tarLength }) => Math.max(max, tarLength), 0);
  if (Math.max(inSize, outSize) > MAX_FRAME) throw new AppError('CORRUPT', 'a frame is larger than 64 MiB');
  if (frames.length <= INLINE_FRAMES) return inlineDecoder;
  const memory = new SharedArrayBuffer(slots * (inSize + outSize));
  const free = Array.from({ length: slots }, (_, slot) => slot);
  const waiting = new Map<number, { resolve: () => void; reject: (error: AppError) => void }>();
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.values()) {
      reject(new AppError('INTERNAL', `the decoder stopped: ${(error as Error).message}`, { cause: error }));
    }
  };
  const workers = Array.from(
    { length: Math.max(1, Math.min(MAX_WORKERS, availableParallelism() - 1)) },
    () => {
      const worker = new Worker(new URL('./extract-decoder-worker.ts', import.meta.url), {
        workerData: { memory } satisfies DecoderMemory,
      });
      worker.on('error', fail);
      worker.on('message', ({ slot, problem }: DecodeAnswer) => {
        const { resolve, reject } = waiting.get(slot)!;
        waiting.delete(slot);
        if (problem === undefined) resolve();
        else reject(new AppError('CORRUPT', problem));
      });
      return worker;
    },
  );
  let turn = 0;

  return {
    decode: async (bytes, frame) => {
      const slot = free.pop();
      if (slot === undefined) throw new AppError('INTERNAL', 'too many frames are decoded at a time');
      const inOffset = slot * (inSize + outSize);
      const outOffset = inOffset + inSize;
      if (bytes.length !== frame.length) throw new AppError('CORRUPT', 'the layer ends too early');
      bytes.copy(Buffer.from(memory, inOffset, inSize));
      await new Promise<void>((resolve, reject) => {
        waiting.set(slot, { resolve, reject });
        workers[turn]!.postMessage({ slot, inOffset, outOffset, frame } satisfies DecodeOrder);
        turn = (turn + 1) % workers.length;
      });
      return { bytes: Buffer.from(memory, outOffset, frame.tarLength), release: () => void free.push(slot) };
    },
    close: () => {
      for (const worker of workers) void worker.terminate();
    },
  };
}

const inlineDecoder: FrameDecoder = {
  decode: async (bytes, frame) => ({ bytes: decodeFrame(bytes, frame), release: () => {} }),
  close: () => {},
};
