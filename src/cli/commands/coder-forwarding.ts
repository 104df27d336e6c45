import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { type LogLevel, loadContainer } from '../../index.ts';
import { createPlainReporter } from '../../report/plain.ts';
import { readSourceLine } from '../../report/source-line.ts';
import type { Sink } from '../../report/types.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import { registrySettings } from '../requests/registries.ts';
import type { CommandContext } from '../run-context.ts';

/** Shows a start on a Coder server as well. */
export interface Forwarding {
  readonly emit: Emit;
  /** Reports the failure, if there is one, and ends; waits for a moment at most. */
  readonly close: (failure?: AppError) => Promise<void>;
}

/**
 * Refuses the address of an agent without its token, as envbuilder (Go) does: the agent would never come up.
 * @throws AppError USAGE
 */
export function checkAgent(options: Options): void {
  if (!options['coder-agent-url'] || options['coder-agent-token']) return;
  throw new AppError('USAGE', 'CODER_AGENT_URL is set without CODER_AGENT_TOKEN', {
    hint: 'set the token of the agent too, or neither of them',
  });
}

/**
 * The forwarding that the agent's variables ask for; without them it does nothing. Lines are those of a plain log, with
 * secrets masked.
 */
export async function coderForwarding(
  { options }: Parsed,
  { env, redactor }: Pick<CommandContext, 'env' | 'redactor'>,
  emit: Emit,
): Promise<Forwarding> {
  const [url, token] = [options['coder-agent-url'], options['coder-agent-token']];
  if (!token || !url) {
    if (token)
      emit({
        type: 'warning',
        code: 'USAGE',
        text: 'CODER_AGENT_TOKEN is set without CODER_AGENT_URL; no logs are forwarded',
      });
    return { emit: () => {}, close: async () => {} };
  }
  const { insecure, proxy, extraCaPem } = registrySettings(options, env);
  const { createCoderLogs } = await loadContainer();
  const logs = createCoderLogs({
    url,
    token,
    transport: { insecure, proxy, ...(extraCaPem === undefined ? {} : { extraCaPem }) },
  });
  let level: LogLevel = 'info';
  const sinkOf = (levelOf: () => LogLevel): Sink => ({
    write: (text) => {
      for (const line of text.replace(/\n$/, '').split('\n')) logs.line(levelOf(), line);
    },
  });
  const reporter = createPlainReporter({
    mode: 'plain',
    err: sinkOf(() => level),
    errors: sinkOf(() => 'error'),
    verbose: options.verbose,
    color: false,
    redactor,
    readLine: readSourceLine,
  });
  return {
    emit: (event) => {
      level =
        event.type === 'warning'
          ? 'warn'
          : event.type === 'message' && event.level === 'debug'
            ? 'debug'
            : 'info';
      reporter.emit(event);
    },
    close: async (failure) => {
      if (failure) reporter.emit({ type: 'error', error: failure });
      level = 'info';
      reporter.close();
      await logs.close();
    },
  };
}
