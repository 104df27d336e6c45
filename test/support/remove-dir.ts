import { existsSync, rmSync } from 'node:fs';
import { PATIENCE_MS } from '../../src/core/testing.ts';

/** A process that the command line leaves may take this long to empty the work directory. */

/** Deletes a directory in which such a process may still be at work: rmSync stops without a word at what vanishes. */
export function removeDir(dir: string): void {
  waitUntil(() => {
    rmSync(dir, { recursive: true, force: true });
    return !existsSync(dir);
  });
}

/** Blocks this thread until something is so, or has not become so for too long. */
export function waitUntil(isSo: () => boolean): void {
  const end = performance.now() + PATIENCE_MS;
  // Wait: between two looks.
  while (!isSo() && performance.now() < end) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
}
