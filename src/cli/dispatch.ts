import { AppError, EXIT_CODES } from '../core/error.ts';
import { didYouMean } from '../dockerfile/suggest.ts';
import { renderError } from '../report/render-error.ts';
import { createStyle } from '../report/style.ts';
import { finalError, runCommand } from './command.ts';
import { COMMANDS } from './help.ts';
import { revealHidden } from './hidden-env.ts';
import type { CommandName } from './options/types.ts';
import { type CommandContext, environmentRedactor, readSourceLine, wantsColor } from './run-context.ts';

/**
 * Runs a command of this process to its end, with its environment, streams and signals.
 * @param command undefined when `word` is not a command, which is then the error
 * @returns the exit code
 */
export async function dispatch(
  command: CommandName | undefined,
  word: string,
  args: readonly string[],
): Promise<number> {
  const controller = new AbortController();
  const env = revealHidden(process.env);
  const context: CommandContext = {
    env,
    cwd: process.cwd(),
    signal: controller.signal,
    stdout: process.stdout,
    stderr: process.stderr,
    redactor: environmentRedactor(env),
  };
  const report = (thrown: unknown): number => {
    const error = finalError(thrown, controller.signal);
    const style = createStyle(wantsColor(process.stderr, env));
    const text = renderError(error, { verbose: false, style, readLine: readSourceLine });
    process.stderr.write(`${context.redactor.text(text)}\n`);
    return EXIT_CODES[error.code].exit;
  };
  listen(controller, report);
  try {
    if (!command) throw unknownCommand(word);
    const code = await runCommand(command, args, context, await bodyOf(command));
    return code;
  } catch (error) {
    return report(error);
  }
}

async function bodyOf(command: CommandName) {
  if (command === 'build') return (await import('./commands/build.ts')).buildCommand;
  if (command === 'probe') return (await import('./commands/probe.ts')).probeCommand;
  if (command === 'read-configuration')
    return (await import('./commands/read-configuration.ts')).readConfigurationCommand;
  if (command === 'warm') return (await import('./commands/warm.ts')).warmCommand;
  if (command === 'k8s') return (await import('./commands/kubernetes.ts')).kubernetesCommand;
  if (command === 'registry serve')
    return (await import('./commands/registry-serve.ts')).registryServeCommand;
  if (command === 'registry gc') return (await import('./commands/registry-maintain.ts')).registryGcCommand;
  if (command === 'registry check')
    return (await import('./commands/registry-maintain.ts')).registryCheckCommand;
  return (await import('./commands/start.ts')).startCommand;
}

/** The first signal lets the run clean up, a second one ends it at once. */
function listen(controller: AbortController, report: (thrown: unknown) => number): void {
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.ABORTED.exit);
    controller.abort(new AppError('ABORTED', 'interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const crash = (error: unknown): void => process.exit(report(error));
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // A reader that goes away, as `| head` does, ends our output, not our work.
  const ignore = (): void => {};
  process.stdout.on('error', ignore);
  process.stderr.on('error', ignore);
}

function unknownCommand(word: string): AppError {
  return new AppError('USAGE', word === '' ? 'no command is named' : `unknown command ${word}`, {
    hint: didYouMean(word, Object.keys(COMMANDS)),
  });
}
