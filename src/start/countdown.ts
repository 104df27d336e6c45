import { setTimeout as sleep } from 'node:timers/promises';
import type { Emit } from '../core/events.ts';

const SECONDS = 10;

/**
 * Counts down before the root file system is replaced without the usual check.
 * @throws the reason of the signal when it is aborted
 */
export async function countDown(emit: Emit, signal: AbortSignal, secondMs = 1000): Promise<void> {
  const warn = (text: string): void => emit({ type: 'warning', code: 'UNSAFE', text });
  warn('ENVBUILDER_FORCE_SAFE is set: everything in the root file system is about to be deleted');
  for (let left = SECONDS; left > 0; left -= 1) {
    warn(`${left} ${left === 1 ? 'second' : 'seconds'} left to stop it`);
    await sleep(secondMs, undefined, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
}
