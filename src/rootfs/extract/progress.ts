import type { Emit } from '../../core/events.ts';
import type { ExtractRequest } from '../types.ts';
import type { FrameTimes } from './frame-writer.ts';

/** What extraction reports while it works. */
export interface ExtractProgress {
  /** Compressed bytes that are dealt with: written, or found to be of no use. */
  advance(bytes: number): void;
  /** Milliseconds in which nothing could be done because bytes had not arrived. */
  waited(ms: number): void;
  /** What a thread did with a frame. */
  spent(times: FrameTimes): void;
  /** Frames are written, after so many milliseconds by the clock. */
  framesDone(ms: number): void;
  /**
   * Emits the last progress event and the phases, which add up to the time by the clock: threads work side by side, so
   * what they did in the time without waiting is told by its shares.
   */
  finish(): void;
}

const INTERVAL_MS = 100;

/** Counts in compressed bytes, for only their total is known from the start; at most ten events a second. */
export function createExtractProgress(layers: ExtractRequest['layers'], emit: Emit): ExtractProgress {
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const start = performance.now();
  let done = 0;
  let waited = 0;
  let framesMs = 0;
  const threads = { verify: 0, decode: 0, write: 0 };
  let last = start;
  return {
    advance: (bytes) => {
      done += bytes;
      const now = performance.now();
      if (now - last < INTERVAL_MS || done >= total) return;
      last = now;
      emit({ type: 'progress', what: 'extract', done, total });
    },
    waited: (ms) => {
      waited += ms;
    },
    spent: ({ verify, decode, write }) => {
      threads.verify += verify;
      threads.decode += decode;
      threads.write += write;
    },
    framesDone: (ms) => {
      framesMs += ms;
    },
    finish: () => {
      emit({ type: 'progress', what: 'extract', done: total, total });
      const ms = performance.now() - start;
      const shared = Math.max(0, framesMs - waited);
      const sum = threads.verify + threads.decode + threads.write || 1;
      emit({ type: 'phase', phase: 'download', ms: waited });
      for (const [phase, spent] of Object.entries(threads) as [keyof typeof threads, number][])
        emit({ type: 'phase', phase, ms: (spent / sum) * shared });
      emit({ type: 'phase', phase: 'extract', ms: ms - waited - shared });
    },
  };
}
