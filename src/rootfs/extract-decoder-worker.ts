import { parentPort, workerData } from 'node:worker_threads';
import { decodeFrame } from '../layer/frames.ts';
import type { DecodeAnswer, DecodeOrder, DecoderMemory } from './extract-decoder.ts';

/*
 * Verifies and decodes frames from and into memory that is shared with the writing thread. Its heap is all but empty, so
 * that collecting the buffers that zlib makes costs nothing; on the writing thread that took a third of the time.
 */

const { memory } = workerData as DecoderMemory;

parentPort!.on('message', ({ slot, inOffset, outOffset, frame }: DecodeOrder) => {
  let problem: string | undefined;
  try {
    const decoded = decodeFrame(Buffer.from(memory, inOffset, frame.length), frame);
    decoded.copy(Buffer.from(memory, outOffset, frame.tarLength));
  } catch (error) {
    problem = (error as Error).message;
  }
  parentPort!.postMessage({ slot, problem } satisfies DecodeAnswer);
});
