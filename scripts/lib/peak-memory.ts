import { readFileSync } from 'node:fs';

const INTERVAL_MS = 20;

/**
 * Watches the resident memory of a process (all its threads, none of its children) until it ends.
 * @returns what gives its peak so far in MiB (proc_pid_status(5), VmHWM)
 */
export function watchPeakMemory(pid: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    const kib = peakOf(pid);
    if (kib === undefined) clearInterval(timer);
    else peak = Math.max(peak, kib);
  }, INTERVAL_MS);
  timer.unref();
  return () => peak / 1024;
}

function peakOf(pid: number): number | undefined {
  try {
    const line = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return line ? Number(line[1]) : undefined;
  } catch {
    return undefined;
  }
}
