import { parentPort, workerData } from 'node:worker_threads';
import { release } from '../core/release.ts';
import { type CompressAnswer, type CompressOrder, compressFrame, slotViews } from './compress-pool.ts';
import { outputBound } from './frames.ts';

parentPort!.on('message', ({ slot, length, compression }: CompressOrder) => {
  const { input, output } = slotViews(workerData as SharedArrayBuffer, slot);
  let answer: CompressAnswer = { slot, length: 0, digest: '' };
  try {
    const { bytes, digest } = compressFrame(input.subarray(0, length), compression);
    bytes.copy(output);
    answer = { slot, length: bytes.length, digest };
    release(bytes, outputBound(length));
  } catch (error) {
    answer = { ...answer, error: (error as Error).message };
  }
  parentPort!.postMessage(answer);
});
