import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A running background program whose output goes to a file. */
export interface ServiceProcess {
  readonly pid: number;
  readonly logFile: string;
  /** True until it ends. */
  running(): boolean;
  /** SIGTERM to `pid` (or to the process itself), SIGKILL after the grace period; resolves when it is gone. */
  stop(graceMs?: number, pid?: number): Promise<void>;
}

/** Starts a program that dies with us, even when we are killed with SIGKILL. */
export function startService(
  command: string,
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string>> = {},
): ServiceProcess {
  const log = openSync(logFile, 'a');
  // A group of its own, so that Ctrl-C reaches us first and the service is stopped in order.
  const child: ChildProcess = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    stdio: ['ignore', log, log],
    detached: true,
    env: { ...process.env, ...env },
  });
  closeSync(log);
  let failed = false;
  child.on('error', () => {
    failed = true;
  });
  const running = () => !failed && child.exitCode === null && child.signalCode === null;
  return {
    pid: child.pid ?? 0,
    logFile,
    running,
    stop: async (graceMs = 5000, pid = child.pid) => {
      child.unref();
      if (running() && pid !== undefined) kill(pid, 'SIGTERM');
      for (let waited = 0; running() && waited < graceMs; waited += 50) await sleep(50);
      if (running()) child.kill('SIGKILL');
      while (running()) await sleep(20);
    },
  };
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Waits until `ready` no longer throws.
 * @throws Error with the end of the log when the service ends first or the time is over
 */
export async function waitUntilReady(
  what: string,
  service: ServiceProcess,
  ready: () => Promise<void>,
  timeoutMs = 300_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      await ready();
      return;
    } catch (error) {
      if (!service.running() || performance.now() > end) {
        const log = readFileSync(service.logFile, 'utf8').trim().split('\n').slice(-15).join('\n');
        const why = service.running() ? `does not answer (${String(error)})` : 'ended at once';
        throw new Error(`${what} ${why}; the end of its log:\n${log}`);
      }
      await sleep(100);
    }
  }
}

/** The program that `unshare --fork` started; the process itself where it has started none. */
export function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]) || pid;
  } catch {
    return pid;
  }
}
