import { spawn } from 'node:child_process';
import { once } from '../../core/concurrency.ts';
import { GIT_LIMITS, GIT_MEMORY } from '../../core/network-limits.ts';
import { formatBytes } from '../../core/units.ts';
import { maskUrlCredentials } from '../../core/url-credentials.ts';
import { probeMachine } from '../../sys/machine.ts';
import { createWarden, type Warden } from '../../sys/warden.ts';
import { createGitSetup, type GitSetup } from './git-config.ts';
import { watchGroup, watchMemory } from './git-watch.ts';
import type { GitResult, GitSettings } from './types.ts';

export interface GitCall {
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** Called for each update of git's progress. */
  readonly onProgress?: (what: string, done: number, total: number) => void;
  /** Bytes of standard output after which git is ended; the result has some more than these. */
  readonly mostOutput?: number;
  /** Called for each other line on standard error. */
  readonly onLine?: (line: string) => void;
}

/** git with fixed settings. */
export interface Git {
  /**
   * Runs git to its end; a failure is in the result. When the signal aborts, git and its children are ended, and the
   * signal's reason is thrown.
   */
  run(args: readonly string[], call?: GitCall): Promise<GitResult>;
  /** Lines of known hosts whose keys were accepted unseen so far. */
  acceptedHosts(): readonly string[];
  close(): void;
}

/** The code of a result when the program could not be started at all. */
export const GIT_MISSING = -1;

/** Time between asking git to end and ending it. */
const KILL_AFTER_MS = 1500;
const KEPT_LINES = 50;
const MAX_STDOUT = 64 * 1024 * 1024;
const PROGRESS = /^(?:remote: )?([A-Z][A-Za-z ]+):\s+\d+% \((\d+)\/(\d+)\)/;

/** Prepares git; nothing runs yet. Close it, or its unnamed files stay open. */
export function createGit(settings: GitSettings): Git {
  const setup = createGitSetup(settings);
  const warden = createWarden(settings.path);
  return {
    run: (args, call = {}) => runGit(settings, { ...setup, warden }, args, call),
    acceptedHosts: setup.acceptedHosts,
    close: () => {
      void warden.close();
      setup.close();
    },
  };
}

async function runGit(
  {
    file,
    holds,
    umask,
    slow = GIT_LIMITS,
    memory = gitMemory(),
  }: Pick<GitSettings, 'file' | 'holds' | 'umask' | 'slow' | 'memory'>,
  { env, files, warden }: Pick<GitSetup, 'env' | 'files'> & { readonly warden: Warden },
  args: readonly string[],
  { cwd, signal, mostOutput = Number.POSITIVE_INFINITY, onProgress, onLine }: GitCall,
): Promise<GitResult> {
  signal?.throwIfAborted();
  const messages: string[] = [];
  const take = (line: string): void => {
    const [, what = '', done, total] = PROGRESS.exec(line) ?? [];
    if (what !== '') return onProgress?.(what, Number(done), Number(total));
    const text = maskUrlCredentials(line.trimEnd());
    if (text === '') return;
    messages.push(text);
    if (messages.length > KEPT_LINES) messages.shift();
    onLine?.(text);
  };
  warden.prepare();
  // A group of its own, so that ending it ends what git started as well.
  const child = withUmask(umask, () =>
    spawn(file, args, {
      cwd: cwd ?? '/',
      env,
      stdio: ['ignore', 'pipe', 'pipe', holds ?? 'ignore', ...files],
      detached: true,
    }),
  );
  const kill = (name: NodeJS.Signals): void => {
    if (child.pid !== undefined) killGroup(child.pid, name);
  };
  const end = (): void => {
    kill('SIGTERM');
    setTimeout(kill, KILL_AFTER_MS, 'SIGKILL').unref();
  };
  signal?.addEventListener('abort', end, { once: true });
  const unwatch = child.pid === undefined ? () => {} : warden.watch(-child.pid);
  let given: string | undefined;
  const giveUp = (why: string): void => {
    given = `fatal: ${why}`;
    end();
  };
  const watches =
    child.pid === undefined
      ? []
      : [
          watchGroup(child.pid, slow, () =>
            giveUp(`Operation too slow: less than ${slow.bytes} bytes/sec for ${slow.seconds} seconds`),
          ),
          watchMemory(child.pid, memory, () =>
            giveUp(
              `git was ended, since it took more than ${formatBytes(memory)} of memory: there are too many files`,
            ),
          ),
        ];
  const stdout: Buffer[] = [];
  let size = 0;
  child.stdout!.on('data', (chunk: Buffer) => {
    const before = size;
    size += chunk.length;
    if (size <= MAX_STDOUT && before <= mostOutput) stdout.push(chunk);
    if (before <= mostOutput && size > mostOutput) end();
  });
  let rest = '';
  child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/[\r\n]/);
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.on('error', (error) => {
    messages.push(error.message);
    resolve(GIT_MISSING);
  });
  child.on('close', (code) => resolve(code ?? 128));
  try {
    const code = await promise;
    signal?.throwIfAborted();
    if (rest !== '') take(rest);
    if (given !== undefined) take(given);
    return { code, stdout: Buffer.concat(stdout).toString('utf8'), messages };
  } finally {
    for (const stop of watches) stop();
    unwatch();
    signal?.removeEventListener('abort', end);
  }
}

const gitMemory = once(() => Math.min(GIT_MEMORY.bytes, GIT_MEMORY.share * probeMachine().memory()));

/** A child has the umask that we have when it is started. */
function withUmask<T>(umask: number | undefined, start: () => T): T {
  if (umask === undefined) return start();
  const own = process.umask(umask);
  try {
    return start();
  } finally {
    process.umask(own);
  }
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}
