import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import type { runAs } from '../sys/run-as.ts';
import type { Account } from './account.ts';
import type { Variables } from './environment.ts';
import { createOutput } from './output-lines.ts';

/** A string runs under /bin/sh, a list is executed as it is, an object holds commands that run at the same time. */
export type HookCommand = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

export interface Hook {
  /** What the command comes from: a feature, the image, or a devcontainer.json. */
  readonly origin: string;
  readonly command: HookCommand;
}

/** The commands of one lifecycle hook. */
export interface NamedHooks {
  readonly name: string;
  readonly hooks: readonly Hook[];
  /** When it fails, the ones after it are run all the same, and it is run again in the next start. */
  readonly optional?: boolean;
  /** Variables that these alone see. */
  readonly env?: Variables;
}

export interface HookDeps {
  readonly runAs: typeof runAs;
  readonly account: Account;
  readonly env: Variables;
  readonly cwd: string;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Told of each hook when all its commands have succeeded. */
  readonly onDone?: (name: string) => void | Promise<void>;
  /** Whether the hooks behind one that has failed are run as well. */
  readonly evenAfterFailure?: boolean;
  /** Told of each hook that has run for this long, in milliseconds. */
  readonly slow?: { readonly afterMs: number; readonly tell: (name: string) => void };
}

/** What did not work, of which command. */
export interface HookFailure {
  readonly hook: string;
  readonly text: string;
}

/**
 * Runs hooks one after the other, the commands of an object at the same time. One that fails is reported as a warning, and
 * unless it is optional, the ones after it are not run.
 * @returns what failed; undefined when all went well that is not optional
 * @throws the reason of the signal when it is aborted
 */
export async function runHooks(all: readonly NamedHooks[], deps: HookDeps): Promise<HookFailure | undefined> {
  const { slow, onDone, evenAfterFailure } = deps;
  let first: HookFailure | undefined;
  for (const [i, { name, hooks, optional = false, env = {} }] of all.entries()) {
    const timer = slow && setTimeout(() => slow.tell(name), slow.afterMs);
    try {
      const later = evenAfterFailure || optional ? [] : all.slice(i + 1);
      const failure = await runHook(name, hooks, later, { ...deps, env: { ...deps.env, ...env } });
      if (failure && optional) continue;
      first ??= failure;
      if (failure && !evenAfterFailure) return failure;
    } finally {
      clearTimeout(timer);
    }
    await onDone?.(name);
  }
  return first;
}

async function runHook(
  name: string,
  hooks: readonly Hook[],
  later: readonly NamedHooks[],
  deps: HookDeps,
): Promise<HookFailure | undefined> {
  const { emit } = deps;
  for (const [i, { origin, command }] of hooks.entries()) {
    emit({ type: 'message', level: 'info', text: `running ${name} as ${deps.account.name} (${origin})` });
    const results = await Promise.all(
      commandsOf(name, command).map(async ({ label, argv }) => ({
        label,
        reason: await runCommand(label, argv, deps),
      })),
    );
    const failed = results.filter(({ reason }) => reason !== undefined);
    if (failed.length === 0) continue;
    const text = failed.map(({ label, reason }) => `${label} of ${origin} ${reason}`).join('; ');
    const rest = [{ name, hooks: hooks.slice(i + 1) }, ...later];
    const skipped = rest.filter((one) => one.hooks.length > 0).map((one) => one.name);
    const consequence = skipped.length > 0 ? `; not run: ${skipped.join(', ')}` : '';
    emit({ type: 'warning', code: 'START_FAILED', text: `${text}${consequence}` });
    return { hook: name, text };
  }
  return undefined;
}

/** A script that does what hooks do, one command after the other, those of an object at the same time. */
export function hookScript(hooks: readonly Hook[], quote: (word: string) => string): string {
  const parts = hooks.map(({ command }) => {
    const lines = commandsOf('', command).map(({ argv }) =>
      argv[0] === '/bin/sh' && argv[1] === '-c' ? argv[2]! : argv.map(quote).join(' '),
    );
    if (lines.length === 1) return lines[0]!;
    return [...lines.map((line) => `(\n${line}\n) &`), 'wait'].join('\n');
  });
  return `#!/bin/sh\n\n${parts.join('\n')}\n`;
}

/** The commands of a hook, with what their output is marked with. */
function commandsOf(name: string, command: HookCommand): { label: string; argv: readonly string[] }[] {
  const argvOf = (one: string | readonly string[]): readonly string[] =>
    typeof one === 'string' ? ['/bin/sh', '-c', one] : one;
  if (typeof command === 'string' || Array.isArray(command)) {
    return isEmpty(command) ? [] : [{ label: name, argv: argvOf(command as string | readonly string[]) }];
  }
  return Object.entries(command as Readonly<Record<string, string | readonly string[]>>)
    .filter(([, one]) => !isEmpty(one))
    .map(([key, one]) => ({ label: `${name} ${key}`, argv: argvOf(one) }));
}

function isEmpty(command: unknown): boolean {
  return (command as { length?: number }).length === 0;
}

/** Runs one command; returns why it failed. */
async function runCommand(
  label: string,
  argv: readonly string[],
  { runAs: run, account, env, cwd, emit, signal }: HookDeps,
): Promise<string | undefined> {
  const output = createOutput(label, emit);
  const { uid, gid, groups } = account;
  try {
    const result = await run({ argv, env, cwd, uid, gid, groups }, { onOutput: output.push, signal });
    if (result.failure) return `could not be started: ${result.failure.message}`;
    if (result.signal) return `was killed by ${result.signal}`;
    return result.exitCode === 0 ? undefined : `exited with code ${result.exitCode}`;
  } catch (error) {
    if (signal.aborted || !(error instanceof AppError)) throw error;
    return `failed: ${error.message}`;
  } finally {
    output.end();
  }
}
