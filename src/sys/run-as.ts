import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { entryPoint } from '../core/own-files.ts';
import { kill } from './descendants.ts';
import { endGroup } from './end-group.ts';
import { findProgram } from './find-program.ts';
import type { InitFailure } from './run-types.ts';
import type { RunResult } from './types.ts';
import { createWarden } from './warden.ts';

/** A command in our own namespaces and root. */
export interface UserCommand {
  readonly argv: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

export interface RunAsOptions {
  /** Where its output goes; left out, it has our own terminal and our standard input. */
  readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  readonly signal?: AbortSignal;
}

/** How a command ended: as RunResult says, or it was never started. */
export type RunAsResult = RunResult & { readonly failure?: InitFailure };

/** Processes that a command leaves may still write for this long before their output is handed over. */
const LEFT_OPEN_MS = 200;
/** Time between asking a command at our terminal to end and ending it. */
const KILL_AFTER_MS = 1500;

/** A process of ours that becomes a command: it reads it from descriptor 3, and says on 4 why it could not. */
export interface Becoming {
  /** @param streams of the process, from standard input to descriptor 4 */
  readonly start: (streams: readonly StdioSlot[], inGroup: boolean) => ChildProcess;
  /** The process that signals are meant for, where that is not the one that was started. */
  readonly inside?: (child: ChildProcess) => number | undefined;
  /** Where the output of processes goes on to that a command leaves: standard output and error, as descriptors. */
  readonly leftTo?: readonly [number, number];
  /** The PATH to look for programs of ours in; that of the command when left out. */
  readonly path?: string;
}

type StdioSlot = 'ignore' | 'pipe' | 'inherit';

/**
 * Runs a command as a user, with all of the user's groups. When we are killed it is ended, with all that it has started.
 * Processes that it leaves go on; when they still hold its output, that goes to our standard output and error from then on,
 * so that they do not fail when we are gone.
 * @throws the reason of the signal when it is aborted; the command and all that it has started are ended first
 */
export async function runAs(command: UserCommand, options: RunAsOptions): Promise<RunAsResult> {
  return runThrough(
    {
      start: (streams, inGroup) =>
        spawn(process.execPath, ['--no-warnings', fileURLToPath(entryPoint('run-as-init'))], {
          env: {},
          cwd: '/',
          detached: inGroup,
          stdio: [...streams],
        }),
    },
    command,
    options,
  );
}

/** As runAs, with a process that is started in another way. */
export async function runThrough(
  becoming: Becoming,
  command: UserCommand,
  { onOutput, signal }: RunAsOptions,
): Promise<RunAsResult> {
  signal?.throwIfAborted();
  const ours = onOutput
    ? (['ignore', 'pipe', 'pipe'] as const)
    : (['inherit', 'inherit', 'inherit'] as const);
  // A group of its own, so that all of it can be ended; at a terminal it must stay in the foreground group.
  const inGroup = onOutput !== undefined;
  const warden = createWarden(process.env.PATH);
  // With the first process of a container the kernel ends all others.
  const isWatched = process.pid !== 1;
  if (isWatched) warden.prepare();
  const child = becoming.start([...ours, 'pipe', 'pipe'], inGroup);
  if (isWatched && child.pid !== undefined) warden.watch(inGroup ? -child.pid : child.pid);
  child.stdout?.on('data', (chunk: Buffer) => onOutput?.('stdout', chunk));
  child.stderr?.on('data', (chunk: Buffer) => onOutput?.('stderr', chunk));
  const specPipe = child.stdio[3] as NodeJS.WritableStream;
  specPipe.on('error', () => {});
  specPipe.end(JSON.stringify(command));
  let status = '';
  child.stdio[4]!.on('data', (chunk: Buffer) => {
    status += chunk.toString('utf8');
  });
  let aborted: Promise<void> | undefined;
  const abort = (): void => {
    if (child.pid === undefined) return;
    if (inGroup) aborted = endGroup(child.pid);
    else void endOne(becoming.inside?.(child) ?? child.pid);
  };
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const ended = await ending(child);
    // What is left of it has to go before we do.
    await aborted;
    await warden.close();
    await releaseOutput(child, becoming.path ?? command.env.PATH ?? '', becoming.leftTo ?? [1, 2]);
    signal?.throwIfAborted();
    const result = outcome(ended.code, ended.signal);
    return status === '' ? result : { ...result, failure: JSON.parse(status) as InitFailure };
  } finally {
    signal?.removeEventListener('abort', abort);
    await warden.close();
  }
}

function ending(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    code: number | null;
    signal: NodeJS.Signals | null;
  }>();
  child.once('error', reject);
  child.once('exit', (code, signal) => resolve({ code, signal }));
  return promise;
}

/** What a child process has ended with, as its `exit` and `close` events tell it. */
export function outcome(code: number | null, signal: NodeJS.Signals | null): RunResult {
  if (signal === null) return { exitCode: code ?? 1 };
  return { exitCode: 128 + (constants.signals[signal] ?? 0), signal };
}

/** Ends a command that shares our group; nobody waits for it who can go on without it. */
async function endOne(pid: number): Promise<void> {
  kill(pid, 'SIGTERM');
  await sleep(KILL_AFTER_MS, undefined, { ref: false });
  kill(pid);
}

/** Waits for the rest of the output; what processes left behind hold open is copied on by a process that outlives us. */
async function releaseOutput(
  child: ChildProcess,
  path: string,
  leftTo: readonly [number, number],
): Promise<void> {
  const open = (['stdout', 'stderr'] as const).filter((name) => child[name] && !child[name].closed);
  const closed = Promise.all(
    open.map((name) => new Promise((resolve) => child[name]!.once('close', resolve))),
  );
  const timer = new AbortController();
  const late = sleep(LEFT_OPEN_MS, 'late', { signal: timer.signal }).catch(() => 'late');
  const first = await Promise.race([closed, late]);
  timer.abort();
  if (first !== 'late') return;
  const cat = findProgram('cat', path, '/');
  for (const name of open) {
    const stream = child[name]!;
    if (stream.closed) continue;
    stream.pause();
    if ('path' in cat) {
      const target = leftTo[name === 'stdout' ? 0 : 1];
      spawn(cat.path, [], { env: {}, cwd: '/', detached: true, stdio: [stream, target, target] }).unref();
    }
    stream.destroy();
  }
}
