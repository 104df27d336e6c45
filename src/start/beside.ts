import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Emit, Event } from '../core/events.ts';
import { entryPoint, ownEnvironment } from '../core/own-files.ts';
import type { UserCommand } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import type { NamedHooks } from './hooks.ts';
import type { BuiltState } from './state.ts';

/** Hooks that the init command does not wait for; plain data, as it goes to a process of its own. */
export interface BesideWork extends Pick<UserCommand, 'env' | 'cwd'> {
  readonly hooks: readonly NamedHooks[];
  readonly evenAfterFailure?: boolean;
  readonly account: Account;
  /** Texts that are masked in what they say once this process is another one; its own events are masked by the reporter. */
  readonly masked?: readonly string[];
  /** Where each hook that has succeeded is kept, and of which commit; left out, nothing is kept. */
  readonly keep?: { readonly ownDir: string; readonly state: BuiltState; readonly content: string };
}

/** Hooks that run beside this process, and beside the command that it becomes. */
export interface Beside {
  /** Resolves when all of them have ended. */
  readonly ended: Promise<void>;
  /** To be waited for before this process becomes another one: what they say goes to standard error from then on. */
  readonly handOver: () => Promise<void>;
}

/**
 * Runs hooks in a process that goes on when this one has become the init command. Until it is handed over, what they say
 * are events of this process.
 * @param options.signal ends the hooks when it is aborted before that
 */
export function startBeside(
  work: BesideWork,
  { emit, signal }: { readonly emit: Emit; readonly signal: AbortSignal },
): Beside {
  const main = fileURLToPath(entryPoint('beside'));
  const child = spawn(process.execPath, ['--no-warnings', main], {
    env: ownEnvironment(),
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe'],
  });
  const [spec, events] = [child.stdio[3] as Writable, child.stdio[4] as Readable];
  // It may have ended before it has read all.
  spec.on('error', () => {});
  spec.write(`${JSON.stringify(work)}\n`);
  const lines = createInterface({ input: events });
  lines.on('line', (line) => emit(JSON.parse(line) as Event));
  const quiet = new Promise<void>((resolve) => lines.once('close', () => resolve()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('error', ({ message }) => {
    emit({ type: 'warning', code: 'START_FAILED', text: `hooks cannot be run beside the start: ${message}` });
    events.destroy();
  });
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  return {
    ended: Promise.race([ended, quiet]),
    handOver: async () => {
      spec.end();
      await quiet;
      child.unref();
    },
  };
}
