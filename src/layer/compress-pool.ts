import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { gzipSync, constants as zlib, zstdCompressSync } from 'node:zlib';
import { once } from '../core/concurrency.ts';
import { type Digest, isDigest } from '../core/digest.ts';
import { AppError } from '../core/error.ts';
import { entryPoint } from '../core/own-files.ts';
import type { Compression } from './types.ts';

/** Part of the layer format: another level gives other bytes, and a layer must not depend on who wrote it. */
const ZSTD_LEVEL = 3;
const GZIP_LEVEL = 6;

export interface CompressedFrame {
  readonly bytes: Buffer;
  readonly digest: Digest;
}

/** Compresses frames, several at once; the result depends on the bytes alone. */
export interface CompressPool {
  /** Frames worth having under way at once. */
  readonly parallel: number;
  /** `frame`'s memory is handed over and must not be used afterwards. */
  compress(frame: Buffer<ArrayBuffer>, compression: Compression): Promise<CompressedFrame>;
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
  if (compression === 'gzip') return gzipSync(frame, { level: GZIP_LEVEL });
  return zstdCompressSync(frame, {
    pledgedSrcSize: frame.length,
    params: {
      [zlib.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
      [zlib.ZSTD_c_contentSizeFlag]: 1,
      [zlib.ZSTD_c_checksumFlag]: 0,
    },
  });
}

interface Job {
  readonly resolve: (frame: CompressedFrame) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Worker threads that compress; started with the first frame, so a small layer never pays for them when its writer
 * compresses it itself. `close` must be called, or the process stays.
 */
export function createCompressPool(options: { readonly threads?: number } = {}): CompressPool {
  const threads = options.threads ?? 2;
  const workers = once(() => Array.from({ length: threads }, startWorker));
  let started = false;
  let next = 0;
  return {
    parallel: threads + 1,
    compress: (frame, compression) => {
      started = true;
      const all = workers();
      next = (next + 1) % all.length;
      return all[next]!.compress(frame, compression);
    },
    close: async () => {
      if (started) await Promise.all(workers().map((worker) => worker.close()));
    },
  };
}

function startWorker(): Pick<CompressPool, 'compress' | 'close'> {
  const worker = new Worker(entryPoint('compress-worker'));
  const jobs: Job[] = [];
  worker.on('message', ({ bytes, digest }: { bytes: Uint8Array; digest: string }) => {
    const job = jobs.shift();
    if (!isDigest(digest)) job?.reject(new AppError('INTERNAL', 'a compression worker gave no digest'));
    else job?.resolve({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), digest });
  });
  worker.on('error', (error) => {
    for (const job of jobs.splice(0)) job.reject(error);
  });
  worker.unref();
  return {
    compress: (frame, compression) => {
      const { promise, resolve, reject } = Promise.withResolvers<CompressedFrame>();
      jobs.push({ resolve, reject });
      worker.ref();
      worker.postMessage({ frame, compression }, [frame.buffer]);
      return promise.finally(() => {
        if (jobs.length === 0) worker.unref();
      });
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
