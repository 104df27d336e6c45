import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { below, processes } from '../sys/descendants.ts';
import { isThere, type ProcessMark } from './process-mark.ts';

const LOOK_MS = 10;
/** A program that computes for so long does not end at once, in hundredths of a second of a processor. */
const MOST_USED = 30;
/** However little of a processor there is. */
const MOST_MS = 10_000;

/**
 * Waits until a first process that was just let go shows whether it stays: it has ended, or it and all that it has started
 * wait for something. What ends at once ends before, however seldom it gets a processor.
 * @param mark of a process that begins as `firstProcess` does
 * @param signal ends the wait at the next look
 */
export async function atRest(mark: ProcessMark, signal?: AbortSignal): Promise<void> {
  const latest = performance.now() + MOST_MS;
  let [looksAtRest, usedBefore] = [0, undefined as number | undefined];
  while (looksAtRest < 2 && isThere(mark) && !signal?.aborted && performance.now() < latest) {
    if (hasBegun(mark.pid)) {
      const all = processes();
      const own = [...all.filter(({ pid }) => pid === mark.pid), ...below(all, [mark.pid])];
      const used = own.reduce((sum, one) => sum + one.used, 0);
      usedBefore ??= used;
      if (used - usedBefore > MOST_USED) return;
      // A child that has just ended may not have woken its parent yet.
      looksAtRest = own.every(({ isAsleep }) => isAsleep) ? looksAtRest + 1 : 0;
    }
    await sleep(LOOK_MS);
  }
}

/** Whether it has read its line, after which its standard input is another one. */
function hasBegun(pid: number): boolean {
  try {
    return !/^(?:pipe|socket):/.test(readlinkSync(`/proc/${pid}/fd/0`));
  } catch {
    return true;
  }
}
