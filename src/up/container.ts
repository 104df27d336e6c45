import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { entryPoint } from '../core/own-files.ts';
import type { RunAsOptions, RunAsResult, UserCommand } from '../sys/run-as.ts';
import { runThrough } from '../sys/run-as.ts';
import { openTerminal } from '../sys/terminal.ts';
import { firstChild, type OwnIds, startInUserNamespace } from '../sys/user-namespace.ts';
import { launcherEnvironment, noNamespace, notStarted, pathOf, reasonIn, saidBy } from './launch.ts';
import { isThere, markOf, type ProcessMark } from './process-mark.ts';
import { type ContainerSpec, STARTED } from './spec.ts';

/** The namespaces of a container but for those of users and of the network, which is the machine's. */
const NAMESPACES = ['--mount', '--uts', '--ipc', '--pid'];
/** How a first process is asked to end. */
/** How the first process of a container is ended, where nobody says it otherwise. */
export const USUAL_END = { signal: 'SIGTERM', graceMs: 5000 } as const;
const LOOK_MS = 20;

/**
 * Starts a container: a process that goes on when we have ended, the first one in namespaces of its own. It waits until
 * `keep` has returned, and ends where we do not come that far, so that none is there that nobody knows of.
 * @param options.ids which ids the ordinary user has inside, and undefined for root
 * @throws AppError START_FAILED, PERMISSION
 */
export async function startContainer(
  spec: ContainerSpec,
  {
    ids,
    log,
    keep,
    emit,
  }: {
    readonly ids: OwnIds | undefined;
    readonly log: string;
    readonly keep: (mark: ProcessMark) => void;
    readonly emit: Emit;
  },
): Promise<ProcessMark> {
  const output = openSync(log, 'a', 0o644);
  const before = fstatSync(output).size;
  const node = [process.execPath, '--no-warnings', fileURLToPath(entryPoint('container-start'))];
  let child: ChildProcess;
  let first: number | undefined;
  let go = (): void => {};
  try {
    if (ids === undefined) {
      child = spawn('unshare', [...NAMESPACES, '--mount-proc', '--fork', ...node], {
        env: launcherEnvironment(),
        detached: true,
        stdio: ['pipe', output, output, 'ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      });
    } else {
      const started = await startInUserNamespace(node, {
        warn: (warning) => emit({ type: 'warning', code: 'PERMISSION', text: warning }),
        ids,
        forGood: true,
        streams: ['pipe', output, output, 'pipe', 'pipe'],
        env: launcherEnvironment(),
      });
      if (started === undefined) throw noNamespace();
      ({ child, go, inside: first } = started);
    }
  } finally {
    closeSync(output);
  }
  const failed = new Promise<never>((_, reject) => {
    child.once('error', ({ message }) =>
      reject(
        new AppError('START_FAILED', `cannot start unshare: ${message}`, { hint: 'install util-linux' }),
      ),
    );
  });
  const [letGo, given, status] = [child.stdin, ...child.stdio.slice(6)] as unknown as [
    Writable,
    Writable,
    Readable,
  ];
  for (const pipe of [letGo, given]) pipe.on('error', () => {});
  go();
  given.end(JSON.stringify(spec));
  const said = await Promise.race([saidBy(status), failed]);
  first ??= firstChild(child.pid!);
  const mark = first === undefined ? undefined : markOf(first);
  if (said !== STARTED || mark === undefined) {
    letGo.destroy();
    throw notStarted('the container', reasonIn(said, log, before));
  }
  keep(mark);
  letGo.end('\n');
  // Whoever waits for the first process holds the other ends.
  for (const pipe of child.stdio) if (pipe !== child.stdin) pipe?.destroy();
  child.unref();
  return mark;
}

/**
 * Ends all processes of a container, and with them its mounts; the first one is asked to end by itself before.
 * @param asked with which signal, and how long it may take
 */
export async function endContainer(
  mark: ProcessMark,
  { signal, graceMs }: { readonly signal: NodeJS.Signals | number; readonly graceMs: number } = USUAL_END,
): Promise<void> {
  const send = (sent: NodeJS.Signals | number): void => {
    try {
      if (isThere(mark)) process.kill(mark.pid, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  send(signal);
  const end = performance.now() + graceMs;
  for (let killed = false; isThere(mark); await sleep(LOOK_MS)) {
    if (killed || performance.now() < end) continue;
    send('SIGKILL');
    killed = true;
  }
}

/** A container that runs, as those who join it need it. */
export interface RunningContainer {
  readonly pid: number;
  readonly ids: OwnIds | undefined;
  readonly privileged: boolean;
  readonly capabilities: readonly number[];
  readonly dropped?: readonly number[];
  readonly log: string;
}

/** Interrupts at our terminal are for the command alone, which Node gives the usual ways with signals again. */
const UNINTERRUPTED = ['-c', `trap '' INT QUIT; exec nsenter "$@"`, 'nsenter'];

/**
 * A way to run commands in a container, as `runAs` does it here. Where we have a terminal and nobody wants the output, they
 * have one of the container's own. What they leave behind writes to the container's log.
 */
export function createRunInside({
  pid,
  ids,
  privileged,
  capabilities,
  dropped = [],
  log,
}: RunningContainer): (command: UserCommand, options: RunAsOptions & InsideOptions) => Promise<RunAsResult> {
  const join = [
    ...[`--target=${pid}`, '--uts', '--ipc', '--pid', ...(ids === undefined ? [] : ['--user'])],
    // Whoever is root inside by their own id stays who they are, which is all that one id alone allows.
    ...(ids !== undefined && ids.uid === 0 && ids.gid === 0 ? ['--preserve-credentials'] : []),
    ...['--', process.execPath, '--no-warnings', fileURLToPath(entryPoint('container-join'))],
  ];
  return async (command, { started, ...options }) => {
    const [mounts, left] = [openNamespace(pid), openSync(log, 'a', 0o644)];
    const isAtTerminal = options.onOutput === undefined && process.stdin.isTTY && process.stdout.isTTY;
    const terminal = isAtTerminal ? openTerminal(`/proc/${pid}/root/dev/pts/ptmx`) : undefined;
    let detach: (() => Promise<void>) | undefined;
    try {
      return await runThrough(
        {
          start: (streams, inGroup) => {
            const own = terminal && [terminal.inside, terminal.inside, terminal.inside];
            const child = spawn('/bin/sh', [...UNINTERRUPTED, ...join], {
              env: launcherEnvironment(),
              cwd: '/',
              detached: inGroup || terminal !== undefined,
              stdio: [...(own ? [...own, ...streams.slice(own.length)] : streams), mounts],
            });
            if (terminal) {
              closeSync(terminal.inside);
              detach = terminal.attach(process.stdin, process.stdout);
            }
            started?.(() => firstChild(child.pid ?? 0));
            return child;
          },
          inside: (child) => firstChild(child.pid ?? 0),
          leftTo: [left, left],
          path: pathOf(process.env),
        },
        { ...command, privileged, capabilities, dropped, terminal: terminal !== undefined } as UserCommand,
        options,
      );
    } finally {
      await detach?.();
      closeSync(mounts);
      closeSync(left);
    }
  };
}

export interface InsideOptions {
  /** Told how to find the command's process, as it is numbered here, once there is one. */
  readonly started?: (inside: () => number | undefined) => void;
}

function openNamespace(pid: number): number {
  try {
    return openSync(`/proc/${pid}/ns/mnt`, 'r');
  } catch (error) {
    throw new AppError('START_FAILED', 'the container is not there any more', {
      cause: error,
      hint: 'envbuilder up starts it again',
    });
  }
}
