import v8 from 'node:v8';
import vm from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { type CompressAnswer, type CompressOrder, compressFrame, slotViews } from './compress-pool.ts';

/** Frames after which the buffers that zlib made are collected; left alone, V8 lets 64 MiB of them pile up. */
const COLLECT_EVERY = 2;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;
let count = 0;

parentPort!.on('message', ({ slot, length, compression }: CompressOrder) => {
  const { input, output } = slotViews(workerData as SharedArrayBuffer, slot);
  let answer: CompressAnswer = { slot, length: 0, digest: '' };
  try {
    const { bytes, digest } = compressFrame(input.subarray(0, length), compression);
    bytes.copy(output);
    answer = { slot, length: bytes.length, digest };
  } catch (error) {
    answer = { ...answer, error: (error as Error).message };
  }
  parentPort!.postMessage(answer);
  count += 1;
  if (count % COLLECT_EVERY === 0) collect();
});
