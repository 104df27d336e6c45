import { setImmediate } from 'node:timers/promises';
import { AppError, EXIT_CODES, toAppError } from '../core/error.ts';
import { didYouMean } from '../core/suggest.ts';
import { renderError } from '../report/render-error.ts';
import { readSourceLine } from '../report/source-line.ts';
import { createStyle } from '../report/style.ts';
import { finalError, runCommand } from './command.ts';
import { COMMANDS } from './help.ts';
import { revealHidden } from './hidden-env.ts';
import type { CommandName } from './options/types.ts';
import { type CommandContext, environmentRedactor, wantsColor } from './run-context.ts';

/**
 * Runs a command of this process to its end, with its environment and streams.
 * @param command undefined when `word` is not a command, which is then the error
 * @param signal aborts when the command is to end
 * @returns the exit code
 */
export async function dispatch(
  command: CommandName | undefined,
  word: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const context = processContext(signal);
  const { env } = context;
  const report = (thrown: unknown): number => {
    const error = finalError(thrown, signal);
    const style = createStyle(wantsColor(process.stderr, env));
    const text = renderError(error, { verbose: false, style, readLine: readSourceLine });
    process.stderr.write(`${context.redactor.text(text)}\n`);
    return EXIT_CODES[error.code].exit;
  };
  const stdoutFailure = listen(report);
  // With nothing left to wait for, nobody would ever give an answer; Node would end with 13, or with 0.
  const unanswered = (): void => process.exit(report(new AppError('INTERNAL', UNANSWERED)));
  process.once('beforeExit', unanswered);
  try {
    if (!command) throw unknownCommand(word);
    const code = await runCommand(command, args, context, await bodyOf(command));
    const failure = code === 0 ? await stdoutFailure() : undefined;
    if (failure) throw toAppError(failure, 'OUTPUT', 'cannot write to standard output');
    return code;
  } catch (error) {
    return report(error);
  } finally {
    process.off('beforeExit', unanswered);
  }
}

/** What this process gives a command to work with. */
export function processContext(signal: AbortSignal): CommandContext {
  const env = revealHidden(process.env);
  return {
    env,
    cwd: process.cwd(),
    signal,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: readStdin,
    ...(process.stdin.isTTY && {
      askSecret: async (question) => (await import('./ask-secret.ts')).askSecret(question, signal),
    }),
    redactor: environmentRedactor(env),
  };
}

/** @throws AppError USAGE for more than any query is */
async function readStdin(): Promise<string> {
  if (process.stdin.isTTY) return '';
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MOST_STDIN) throw new AppError('USAGE', 'there is too much on standard input');
  }
  return Buffer.concat(chunks).toString('utf8');
}

const MOST_STDIN = 4 * 1024 * 1024;

const UNANSWERED = 'the program ran out of work before it was done';

async function bodyOf(command: CommandName) {
  if (command === 'build') return (await import('./commands/build.ts')).buildCommand;
  if (command === 'probe') return (await import('./commands/probe.ts')).probeCommand;
  if (command === 'explain') return (await import('./commands/explain.ts')).explainCommand;
  if (command === 'read-configuration')
    return (await import('./commands/read-configuration.ts')).readConfigurationCommand;
  if (command === 'report') return (await import('./commands/report.ts')).reportCommand;
  if (command === 'up') return (await import('./commands/up.ts')).upCommand;
  if (command === 'exec') return (await import('./commands/exec.ts')).execCommand;
  if (command === 'down') return (await import('./commands/down.ts')).downCommand;
  if (command === 'list') return (await import('./commands/list.ts')).listCommand;
  if (command === 'warm') return (await import('./commands/warm.ts')).warmCommand;
  if (command === 'index') return (await import('./commands/index-images.ts')).indexCommand;
  if (command === 'k8s') return (await import('./commands/kubernetes.ts')).kubernetesCommand;
  if (command === 'login') return (await import('./commands/login.ts')).loginCommand;
  if (command === 'logout') return (await import('./commands/login.ts')).logoutCommand;
  if (command === 'cache diff') return (await import('./commands/cache-diff.ts')).cacheDiffCommand;
  if (command.startsWith('cache ')) return (await import('./commands/cache.ts')).cacheCommand;
  if (command === 'registry serve')
    return (await import('./commands/registry-serve.ts')).registryServeCommand;
  if (command === 'registry gc') return (await import('./commands/registry-maintain.ts')).registryGcCommand;
  if (command === 'registry check')
    return (await import('./commands/registry-maintain.ts')).registryCheckCommand;
  return (await import('./commands/start.ts')).startCommand;
}

/**
 * What happens to this process beside its command.
 * @returns what waits for all that was written to standard output, and gives the error that it met
 */
function listen(report: (thrown: unknown) => number): () => Promise<Error | undefined> {
  const crash = (error: unknown): void => process.exit(report(error));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // A reader that goes away, as `| head` does, ends our output, not our work.
  let failure: Error | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') failure ??= error;
  });
  process.stderr.on('error', () => {});
  return async () => {
    const { stdout } = process;
    if (failure === undefined && stdout.writableLength > 0 && !stdout.destroyed)
      await new Promise<void>((resolve) => stdout.write('', () => resolve()));
    // An error is told of after the write that met it.
    await setImmediate();
    return failure;
  };
}

function unknownCommand(word: string): AppError {
  return new AppError('USAGE', word === '' ? 'no command is named' : `unknown command ${word}`, {
    hint: didYouMean(word, Object.keys(COMMANDS)),
  });
}
