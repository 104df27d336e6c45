import { existsSync, rmSync } from 'node:fs';
import { PATIENCE_MS } from '../../src/core/testing.ts';

/**
 * Deletes a directory in which a process that the command line leaves may still be at work: rmSync stops without a word at
 * what vanishes, and fails at what comes meanwhile.
 * @throws what rmSync says in the end
 */
export function removeDir(dir: string): void {
  let failure: unknown;
  const gone = waitUntil(() => {
    try {
      rmSync(dir, { recursive: true, force: true });
    } catch (error) {
      failure = error;
    }
    return !existsSync(dir);
  });
  if (!gone) throw failure ?? new Error(`${dir} is still there`);
}

/** Blocks this thread until something is so. @returns false when it has not become so for too long */
export function waitUntil(isSo: () => boolean): boolean {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    if (isSo()) return true;
    if (performance.now() > end) return false;
    // Wait: between two looks.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}
