import v8 from 'node:v8';
import vm from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { createFrameWriter, writeFrame } from './extract-frame-writer.ts';
import { packError, type WorkerAnswer, type WorkerInput, type WorkerOrder } from './extract-workers.ts';

/* Verifies and decodes frames from memory shared with the main thread, and writes their files. */

/** Frames after which the buffers that zlib made are collected; left alone, V8 lets 64 MiB of them pile up. */
const COLLECT_EVERY = 4;

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc') as () => void;

const { memory, target } = workerData as WorkerInput;
const writer = createFrameWriter(target);
let count = 0;

parentPort!.on('message', ({ slot, offset, order }: WorkerOrder) => {
  const answer: WorkerAnswer = { slot, spent: { verify: 0, decode: 0, write: 0 } };
  try {
    answer.spent = writeFrame(writer, order, Buffer.from(memory, offset, order.frame.length));
  } catch (error) {
    answer.error = packError(error);
  }
  parentPort!.postMessage(answer);
  count += 1;
  if (count % COLLECT_EVERY === 0) collect();
});
