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
  return below(processes(), [of]).map(({ pid }) => pid);
}

/** What /proc tells of a process. */
export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
  /** When it was started: no other process of this number has the same. */
  readonly began: string;
  /** It has ended, and nobody has asked for its exit code. */
  readonly isZombie: boolean;
  /** It waits for something that may never come: it neither runs nor wants to, reads no disk, and was not stopped. */
  readonly isAsleep: boolean;
  /** Of a processor, in hundredths of a second. */
  readonly used: number;
}

/** All processes that can be seen at this moment. */
export function processes(): readonly ProcessFacts[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (factsOf(name) ?? []) : []));
}

/** Which of all processes that still run are below some of them; zombies have children too. */
export function below(all: readonly ProcessFacts[], roots: readonly number[]): readonly ProcessFacts[] {
  const children = Map.groupBy(all, ({ parent }) => parent);
  const found: ProcessFacts[] = [];
  const todo = [...roots];
  for (let pid = todo.pop(); pid !== undefined; pid = todo.pop()) {
    const own = children.get(pid) ?? [];
    todo.push(...own.map((child) => child.pid));
    found.push(...own.filter(({ isZombie }) => !isZombie));
  }
  return found;
}

/**
 * Fields of /proc/PID/stat (proc_pid_stat(5)); the name in it may hold spaces and parentheses.
 * @returns undefined where there is no such process
 */
export function factsOf(pid: string | number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [state = '', parent = '0', group = '0'] = fields;
    return {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      began: fields[19] ?? '',
      isZombie: state === 'Z' || state === 'X',
      isAsleep: state === 'S',
      used: Number(fields[11]) + Number(fields[12]),
    };
  } catch {
    return undefined;
  }
}

/** Sends a signal to a process, or with a number below 0 to a group, that may have ended already. */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
