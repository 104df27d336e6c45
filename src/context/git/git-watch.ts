import { readdirSync, readFileSync } from 'node:fs';

/** The least that programs must do to be left alone. */
export interface LeastWork {
  /** Bytes that they read in each second on the average. */
  readonly bytes: number;
  /** How long they may do less. */
  readonly seconds: number;
}

/** Looks in each such time: a drip is then told from silence, and nothing is looked at often. */
const LOOKS = 5;
/** Of each second: who computes for so long waits for nobody. */
const LEAST_COMPUTING = 0.01;
const TICKS_PER_SECOND = 100;

interface Work {
  /** Undefined where we are not let see it: then nobody is given up. */
  readonly read: number | undefined;
  readonly ticks: number;
}

/**
 * Watches a group of processes for as long as they read less than they should, from anywhere, and hardly compute. It is the
 * only limit where a protocol has none of its own.
 * @param late is called once, when that was so for the whole time
 * @returns ends the watch
 */
export function watchGroup(group: number, least: LeastWork, late: () => void): () => void {
  let last = workOf(group);
  let idleLooks = 0;
  let gained = { ...NONE };
  const seconds = least.seconds / LOOKS;
  // Wait: how long nothing happens is what is watched.
  const timer = setInterval(() => {
    const now = workOf(group);
    const more = gain(last, now);
    last = now;
    gained = { read: gained.read + more.read, ticks: gained.ticks + more.ticks };
    idleLooks += 1;
    const works =
      gained.read >= least.bytes * seconds * idleLooks ||
      gained.ticks >= LEAST_COMPUTING * TICKS_PER_SECOND * seconds * idleLooks;
    if (works) {
      idleLooks = 0;
      gained = { ...NONE };
    } else if (idleLooks >= LOOKS) {
      clearInterval(timer);
      late();
    }
  }, seconds * 1000);
  timer.unref();
  return () => clearInterval(timer);
}

/** Milliseconds between looks at memory, in which git takes some 100 MB more at the most. */
const MEMORY_LOOK_MS = 500;

/**
 * Watches the memory that a group of processes has of its own.
 * @param most bytes
 * @param over is called once, when they have more
 * @returns ends the watch
 */
export function watchMemory(group: number, most: number, over: () => void): () => void {
  // Wait: memory grows without an event.
  const timer = setInterval(() => {
    let bytes = 0;
    for (const [pid] of statOfMembers(group)) bytes += memoryOf(pid);
    if (bytes <= most) return;
    clearInterval(timer);
    over();
  }, MEMORY_LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

const NONE = { read: 0, ticks: 0 };

/** What was done in between, by those that are still there. */
function gain(before: ReadonlyMap<string, Work>, now: ReadonlyMap<string, Work>): typeof NONE {
  let { read, ticks } = NONE;
  for (const [pid, work] of now) {
    read += work.read === undefined ? Number.POSITIVE_INFINITY : work.read - (before.get(pid)?.read ?? 0);
    ticks += work.ticks - (before.get(pid)?.ticks ?? 0);
  }
  return { read, ticks };
}

/** What each process of a group has done so far (proc_pid_stat(5), proc_pid_io(5)). */
function workOf(group: number): ReadonlyMap<string, Work> {
  const found = new Map<string, Work>();
  for (const [pid, fields] of statOfMembers(group)) {
    try {
      found.set(pid, { read: readBy(pid), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** The processes of a group, with the fields of their stat behind the name. */
function* statOfMembers(group: number): Generator<readonly [pid: string, fields: readonly string[]]> {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    } catch {
      // It has ended meanwhile.
      continue;
    }
    // The name may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) === group) yield [pid, fields];
  }
}

/** Bytes in memory that no file backs (proc_pid_status(5)). */
function memoryOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function readBy(pid: string): number | undefined {
  try {
    return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1] ?? 0);
  } catch (error) {
    if (['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
