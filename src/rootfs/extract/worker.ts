import { parentPort, workerData } from 'node:worker_threads';
import { createFrameWriter, writeFrame } from './frame-writer.ts';
import { packError, type WorkerAnswer, type WorkerInput, type WorkerOrder } from './workers.ts';

/* Verifies and decodes frames from memory shared with the main thread, and writes their files. */

const { memory, target } = workerData as WorkerInput;
const write = createFrameWriter(target);

parentPort!.on('message', ({ id, offset, order }: WorkerOrder) => {
  const answer: WorkerAnswer = { id, spent: { verify: 0, decode: 0, write: 0 } };
  try {
    answer.spent = writeFrame(write, order, Buffer.from(memory, offset, order.frame.length));
  } catch (error) {
    answer.error = packError(error);
  }
  order.numbers.buffer.transfer(0);
  parentPort!.postMessage(answer);
});
