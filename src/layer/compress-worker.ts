import { parentPort } from 'node:worker_threads';
import { compressFrame } from './compress-pool.ts';
import type { Compression } from './types.ts';

parentPort?.on('message', ({ frame, compression }: { frame: Uint8Array; compression: Compression }) => {
  const { bytes, digest } = compressFrame(frame, compression);
  const owned = new Uint8Array(bytes);
  parentPort?.postMessage({ bytes: owned, digest }, [owned.buffer]);
});
