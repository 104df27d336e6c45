import { AppError, EXIT_CODES, toAppError } from '../core/error.ts';
import { type Emit, silent } from '../core/events.ts';
import { urlSecrets } from '../report/redact.ts';
import type { Reporter, Sink } from '../report/types.ts';
import { readOldNames } from './options/old-names.ts';
import { type Parsed, parseOptions } from './options/parse.ts';
import type { CommandName } from './options/types.ts';
import type { ReportFiles } from './report-files.ts';
import { optionWarnings } from './requests/build-request.ts';
import { addOptionSecrets, type CommandContext, reporterFor, telemetryFor } from './run-context.ts';
import type { TerminationFile } from './termination-message.ts';

/** What a command does once its options are known; it may give back what is to be done when all has been reported. */
export type CommandBody = (
  parsed: Parsed,
  context: CommandContext,
  emit: Emit,
) => Promise<void | (() => Promise<void>)>;

/**
 * Parses, runs and reports a command.
 * @returns the exit code; errors of the body are reported and never thrown
 * @throws AppError USAGE from parsing, before there is a reporter; what the last part of a command throws
 */
export async function runCommand(
  name: CommandName,
  args: readonly string[],
  given: CommandContext,
  body: CommandBody,
): Promise<number> {
  const { env, used } = name === 'start' ? readOldNames(given.env) : { env: given.env, used: [] };
  let code = 0;
  const context = {
    ...given,
    exitWith: (wanted: number): void => {
      code = wanted;
    },
    env: await queriedEnvironment(parseOptions(name, args, env), { ...given, env }),
  };
  const parsed = parseOptions(name, args, context.env);
  addOptionSecrets(context.redactor, parsed);
  const report = parsed.options.report.length > 0 ? await openReport(parsed, context) : undefined;
  const message = await openMessage(parsed, context);
  const reporter = await reporterFor(parsed, context);
  const telemetry = await telemetryFor(name, context, reporter.emit);
  const emit: Emit = (event) => {
    reporter.emit(event);
    telemetry?.take(event);
    report?.emit(event);
    message?.take(event);
  };
  const warn = (text: string, hint?: string): void =>
    emit({ type: 'warning', code: 'USAGE', text, ...(hint ? { hint } : {}) });
  let last: Awaited<ReturnType<CommandBody>>;
  try {
    for (const old of used) warn(`${old} is an old name`, `set ENVBUILDER_${old} instead`);
    for (const { text, hint } of parsed.warnings) warn(text, hint);
    for (const text of optionWarnings(parsed)) warn(text);
    const observed = report ? { ...context, observer: report.observer } : context;
    last = await body(parsed, { ...observed, stdout: besides(context.stdout, reporter) }, emit);
    await report?.write();
    await telemetry?.end();
    await message?.write(emit);
    // What a command in a container says is all that is to be seen of an exec.
    if (name !== 'exec') reporter.close();
  } catch (thrown) {
    const error = finalError(thrown, context.signal);
    emit({ type: 'error', error });
    // Whoever failed for lack of room does not fail for that alone; the error that counts is the first.
    await report?.write().catch((failure: AppError) => warn(failure.message));
    await telemetry?.end();
    await message?.write(emit);
    reporter.close();
    return exitCodeOf(name, error);
  }
  try {
    await last?.();
  } catch (thrown) {
    message?.take({ type: 'error', error: finalError(thrown, context.signal) });
    await message?.write(silent);
    throw thrown;
  }
  return code;
}

/** Standard output that may be the terminal on which progress is shown: what it is told stays there. */
function besides(stdout: Sink, { beside }: Reporter): Sink {
  if (!stdout.isTTY || !beside) return stdout;
  return { isTTY: true, write: (text) => beside(() => void stdout.write(text)) };
}

/** Tools that call `devcontainer` know one failure alone. */
function exitCodeOf(name: CommandName, { code }: AppError): number {
  return (name === 'up' || name === 'exec') && code !== 'ABORTED' ? 1 : EXIT_CODES[code].exit;
}

/** Loaded only where somebody asks for a report. @throws AppError USAGE */
async function openReport(parsed: Parsed, context: CommandContext): Promise<ReportFiles> {
  return (await import('./report-files.ts')).startReport(parsed, context);
}

/** Loaded only where somebody asks for a message. */
async function openMessage(parsed: Parsed, context: CommandContext): Promise<TerminationFile | undefined> {
  const file = parsed.options['termination-message'];
  if (!file) return undefined;
  return (await import('./termination-message.ts')).openTerminationFile(file, parsed, context);
}

/** For Terraform a probe takes options from standard input as well; they count as variables. @throws AppError USAGE */
async function queriedEnvironment(
  { command, options }: Parsed,
  { env, stdin, redactor }: CommandContext,
): Promise<CommandContext['env']> {
  if (command !== 'probe' || !options.output.includes('terraform') || !stdin) return env;
  const { withQuery } = await import('./requests/query.ts');
  const queried = withQuery(env, await stdin());
  for (const value of Object.values(queried))
    for (const secret of urlSecrets(value ?? '')) redactor.add(secret);
  return queried;
}

/** What to report for anything thrown: an interrupted run is that and nothing else. */
export function finalError(thrown: unknown, signal: AbortSignal): AppError {
  if (signal.aborted) {
    return new AppError('ABORTED', 'interrupted; what was half-written is removed', { cause: thrown });
  }
  if (thrown instanceof AppError) return thrown;
  return toAppError(thrown, 'INTERNAL', 'unexpected failure');
}
