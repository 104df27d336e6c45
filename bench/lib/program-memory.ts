import { readdirSync, readFileSync } from 'node:fs';

const INTERVAL_MS = 100;
/** Where the program is in containers of the runtime image. */
const PLACE = '/.envbuilder/';

/**
 * Watches the memory of all processes of our program in containers, pages that several have counted once
 * (proc_pid_smaps(5), Pss).
 * @returns what ends the watch, and gives the peak of the sum in MiB
 */
export function watchPrograms(): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    const sum = readdirSync('/proc').reduce((all, pid) => all + (/^\d/.test(pid) ? memoryOf(pid) : 0), 0);
    peak = Math.max(peak, sum);
  }, INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return peak / 1024;
  };
}

/** In KiB; 0 for another program, and for a process that has ended. */
function memoryOf(pid: string): number {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(PLACE)) return 0;
    return Number(/^Pss:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
