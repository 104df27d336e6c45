import type { Emit } from '../core/events.ts';
import type { ExtractRequest } from './types.ts';

/** What extraction reports while it works. */
export interface ExtractProgress {
  /** Compressed bytes that are dealt with: written, or found to be of no use. */
  advance(bytes: number): void;
  /** Milliseconds in which nothing could be done because bytes had not arrived. */
  waited(ms: number): void;
  /** Emits the last progress event and the phases. */
  finish(): void;
}

const INTERVAL_MS = 100;

/** Counts in compressed bytes, for only their total is known from the start; at most ten events a second. */
export function createExtractProgress(layers: ExtractRequest['layers'], emit: Emit): ExtractProgress {
  const total = layers.reduce((sum, { size }) => sum + size, 0);
  const start = performance.now();
  let done = 0;
  let waited = 0;
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
    finish: () => {
      emit({ type: 'progress', what: 'extract', done: total, total });
      emit({ type: 'phase', phase: 'download', ms: waited });
      emit({ type: 'phase', phase: 'extract', ms: performance.now() - start - waited });
    },
  };
}
