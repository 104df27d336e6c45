import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { entryPoint } from '../../core/own-files.ts';
import { firstChild, type OwnIds, startInUserNamespace } from '../../sys/user-namespace.ts';
import { endContainer } from '../container.ts';
import { launcherEnvironment, noNamespace, notStarted, reasonIn, saidBy } from '../launch.ts';
import { isThere, markOf, type ProcessMark } from '../process-mark.ts';
import { type ContainerSpec, STARTED } from '../spec.ts';
import { INIT, LOOP, LOOP_THERE, type RestartPolicy } from './loop.ts';

/** Those of the loop: all that is in them ends with it. */
const OUTER = ['--pid', '--mount', '--mount-proc', '--fork'];
/** Those of the service itself, in which each start of it is the first process. */
const INNER = ['unshare', '--mount', '--uts', '--ipc', '--pid', '--mount-proc', '--fork'];
const LOOK_MS = 20;

/** How a service is run. */
export interface ServiceRun {
  readonly name: string;
  readonly ids: OwnIds | undefined;
  readonly log: string;
  /** The file that gets a line with each exit code. */
  readonly ends: string;
  readonly restart: RestartPolicy;
  /** Whether the first process of its container is one of ours. */
  readonly init: boolean;
  readonly keep: (mark: ProcessMark) => void;
  readonly emit: Emit;
}

/**
 * Starts a service with a loop around it that starts it again; both go on when we have ended. The loop waits until `keep`
 * has been told of it, so that none is there that nobody knows of.
 * @returns the loop
 * @throws AppError START_FAILED, PERMISSION; then nothing of it runs
 */
export async function startService(
  spec: ContainerSpec,
  { name, ids, log, ends, restart, init, keep, emit }: ServiceRun,
): Promise<ProcessMark> {
  const what = `the service ${name}`;
  const node = [process.execPath, '--no-warnings', fileURLToPath(entryPoint('container-start'))];
  const first = init ? ['/bin/sh', '-c', INIT, 'init', ...node] : node;
  const loop = ['/bin/sh', '-c', LOOP, 'sh', restart.when, String(restart.most), ...INNER, ...first];
  const [output, codes] = [openSync(log, 'a', 0o644), openSync(ends, 'w', 0o644)];
  const before = fstatSync(output).size;
  let child: ChildProcess;
  let known: number | undefined;
  let go = (): void => {};
  try {
    if (ids === undefined) {
      child = spawn('unshare', [...OUTER, ...loop], {
        env: launcherEnvironment(),
        detached: true,
        stdio: ['pipe', output, output, 'ignore', 'ignore', 'ignore', 'pipe', 'pipe', codes],
      });
    } else {
      const started = await startInUserNamespace(loop, {
        warn: (text) => emit({ type: 'message', level: 'debug', text }),
        ids,
        forGood: true,
        streams: ['pipe', output, output, 'pipe', 'pipe', codes],
        env: launcherEnvironment(),
      });
      if (started === undefined) throw noNamespace();
      ({ child, go, inside: known } = started);
    }
  } finally {
    closeSync(output);
    closeSync(codes);
  }
  const failed = new Promise<never>((_, reject) => {
    child.once('error', ({ message }) =>
      reject(
        new AppError('START_FAILED', `cannot start unshare: ${message}`, { hint: 'install util-linux' }),
      ),
    );
  });
  const [letGo, given, status] = [child.stdin, ...child.stdio.slice(6, 8)] as unknown as [
    Writable,
    Writable,
    Readable,
  ];
  for (const pipe of [letGo, given]) pipe.on('error', () => {});
  go();
  given.end(asciiJson(spec));
  const there = await Promise.race([saidBy(status), failed]);
  known ??= firstChild(child.pid!);
  const mark = known === undefined ? undefined : markOf(known);
  if (there !== LOOP_THERE || mark === undefined) {
    letGo.destroy();
    throw notStarted(what, reasonIn(there === LOOP_THERE ? '' : there, log, before));
  }
  keep(mark);
  letGo.end('\n');
  const said = await saidBy(status);
  for (const pipe of child.stdio) if (pipe !== child.stdin) pipe?.destroy();
  child.unref();
  if (said === STARTED) return mark;
  await endService(mark);
  throw notStarted(what, reasonIn(said, log, before));
}

/** A shell that hands it on may know bytes alone. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The first process of a service, where it runs at the moment. @param loop that it is run by */
export function processOf(loop: ProcessMark): ProcessMark | undefined {
  if (!isThere(loop)) return undefined;
  for (const child of childrenOf(loop.pid)) {
    const first = firstChild(child);
    if (first !== undefined) return markOf(first);
  }
  return undefined;
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/**
 * Ends a service: its loop is held, so that nothing starts it again, it is asked to end by itself, and then both are ended.
 * @param asked with which signal, and how long it may take; left out, it is not asked
 */
export async function endService(
  loop: ProcessMark,
  asked: { readonly signal: NodeJS.Signals | number; readonly graceMs: number } = {
    signal: 'SIGKILL',
    graceMs: 0,
  },
): Promise<void> {
  const send = (signal: NodeJS.Signals): void => {
    try {
      if (isThere(loop)) process.kill(loop.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  send('SIGSTOP');
  const own = processOf(loop);
  if (own) await endContainer(own, asked);
  send('SIGKILL');
  while (isThere(loop)) await sleep(LOOK_MS);
}
