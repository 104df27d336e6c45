import { readdirSync, readFileSync } from 'node:fs';
import { AppError } from '../core/error.ts';
import type { Syscalls } from './types.ts';

/** A process may be in the kernel for a while before it takes notice. */
const MOST_MS = 20_000;

/**
 * Kills every descendant of this process until none is left, those that are started meanwhile too. This process adopts
 * orphans (Syscalls.adoptOrphans) and waits for none of its children otherwise.
 * @throws AppError BUILD_FAILED for one that does not end
 */
export function endDescendants(syscalls: Pick<Syscalls, 'reapChildren'>): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + MOST_MS;
  for (let wait = 1; ; wait = Math.min(50, wait * 2)) {
    if (!syscalls.reapChildren()) return;
    const alive = descendants();
    if (alive.length === 0) return;
    for (const pid of alive) kill(pid);
    if (performance.now() > end)
      throw new AppError('BUILD_FAILED', `process ${alive[0]} that a RUN left behind does not end`);
    Atomics.wait(clock, 0, 0, wait);
  }
}

/** Descendants of a process, of this one if none is named, that still run; zombies are nobody's harm. */
export function descendants(of = process.pid): number[] {
  const children = new Map<number, number[]>();
  const zombies = new Set<number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (!stat) continue;
    if (stat.state === 'Z' || stat.state === 'X') zombies.add(Number(name));
    const siblings = children.get(stat.parent);
    if (siblings) siblings.push(Number(name));
    else children.set(stat.parent, [Number(name)]);
  }
  const found: number[] = [];
  const todo = [of];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    const own = children.get(pid) ?? [];
    todo.push(...own);
    found.push(...own.filter((child) => !zombies.has(child)));
  }
  return found;
}

/** State and parent from /proc/PID/stat (proc_pid_stat(5)); the name in it may hold spaces and parentheses. */
function statOf(pid: string): { readonly state: string; readonly parent: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', parent = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return undefined;
  }
}

/** Kills a process that may have ended already. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
