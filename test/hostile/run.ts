import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../support/envbuilder.ts';

/** What a run of the command line came to, and what it cost. */
export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Processor time of the command line and what it started and waited for, in seconds. */
  readonly cpuSeconds: number;
  /** Most resident memory of any one process of it, in MiB (VmHWM, looked at every 20 ms). */
  readonly peakMiB: number;
  /** It had to be killed. */
  readonly hung: boolean;
}

export interface RunOptions {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What runs; the command line of this checkout when left out. */
  readonly program?: readonly string[];
  /** After how many milliseconds without any work a run counts as hung. */
  readonly idleMs?: number;
}

/** A run is dead after this long, whatever the machine does meanwhile. */
const WALL_MS = 900_000;
/** So is one that has waited for so long: every limit of time is shorter, and who waits for a processor does not wait. */
const IDLE_MS = 90_000;
const LOOK_MS = 20;
/** A run that takes this much is over its limits whatever comes; the machine is needed for others. */
const ENOUGH_SECONDS = 40;
const ENOUGH_MIB = 1500;
const TICKS_PER_SECOND = 100;
/** Output that is kept: an endless one must not become our own problem. */
const MOST_OUTPUT = 4 * 1024 * 1024;

/** The command line of this checkout. */
export const SOURCES: readonly string[] = [join(projectRoot, 'envbuilder')];

/** Runs a command line in an environment of its own. */
export async function runHostile({
  args,
  cwd,
  env,
  program = SOURCES,
  idleMs = IDLE_MS,
}: RunOptions): Promise<RunResult> {
  // It dies with us, even when we are killed.
  const under = ['--pdeathsig', 'KILL', '--'];
  const child = spawn('setpriv', [...under, ...program, ...args], {
    cwd,
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8', NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number>();
  let hung = false;
  const kill = (): void => {
    try {
      // The group: whatever it started goes as well.
      if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile.
    }
  };
  const hang = (): void => {
    hung = true;
    kill();
  };
  const usage = watch(child.pid ?? 0, { idleMs, onTooMuch: kill, onIdle: hang });
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (streams[name].length < MOST_OUTPUT) streams[name] += text;
    });
  }
  // Wait: it hangs when even that is over.
  const timer = setTimeout(hang, WALL_MS);
  child.on('error', reject);
  child.on('exit', (code, signal) => {
    const end = code ?? (signal === 'SIGKILL' ? 137 : 143);
    // Something that it left behind may hold its output open.
    // Wait: what holds its output open never ends by itself.
    const late = setTimeout(resolve, 5000, end);
    child.on('close', () => {
      clearTimeout(late);
      resolve(end);
    });
  });
  try {
    return { code: await ended, ...streams, ...usage(), hung };
  } finally {
    clearTimeout(timer);
  }
}

interface Watched {
  readonly idleMs: number;
  readonly onTooMuch: () => void;
  readonly onIdle: () => void;
}

function watch(
  pid: number,
  { idleMs, onTooMuch, onIdle }: Watched,
): () => Pick<RunResult, 'cpuSeconds' | 'peakMiB'> {
  let peak = 0;
  let ticks = 0;
  let busy = performance.now();
  const look = (): void => {
    let now = 0;
    for (const each of [pid, ...childrenOf(pid)]) {
      try {
        const hwm = /^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${each}/status`, 'latin1'))?.[1];
        peak = Math.max(peak, Number(hwm ?? 0));
        // Of a child as well: what only waits for it ends with it, and nobody can look between the two.
        now += ticksOf(each);
      } catch {
        // It has ended meanwhile.
      }
    }
    if (now > ticks) busy = performance.now();
    ticks = Math.max(ticks, now);
    if (ticks / TICKS_PER_SECOND > ENOUGH_SECONDS || peak / 1024 > ENOUGH_MIB) onTooMuch();
    if (performance.now() - busy > idleMs) {
      if (wantsProcessor(pid)) busy = performance.now();
      else onIdle();
    }
  };
  const timer = setInterval(look, LOOK_MS);
  look();
  return () => {
    clearInterval(timer);
    return { cpuSeconds: ticks / TICKS_PER_SECOND, peakMiB: peak / 1024 };
  };
}

/** Whether any thread of a process or its children is running, ready to run, or in the middle of input or output. */
function wantsProcessor(pid: number): boolean {
  return [pid, ...childrenOf(pid)].some((each) => {
    try {
      return readdirSync(`/proc/${each}/task`).some((task) =>
        /^[RD]/.test(afterName(readFileSync(`/proc/${each}/task/${task}/stat`, 'latin1'))),
      );
    } catch {
      return false;
    }
  });
}

/** The fields of a stat file behind the name, which may hold anything. */
function afterName(stat: string): string {
  return stat.slice(stat.lastIndexOf(')') + 2);
}

/** Processor time of a process and its dead children (proc_pid_stat(5), fields 14 to 17). */
function ticksOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = afterName(stat).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
