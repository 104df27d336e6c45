import type { Reporter, ReporterOptions } from './types.ts';

/**
 * The reporter for a run: live on a terminal, plain lines elsewhere, or JSON lines. Each is loaded only when it is used.
 */
export async function createReporter(options: ReporterOptions): Promise<Reporter> {
  if (options.mode === 'json') return (await import('./json.ts')).createJsonReporter(options);
  if (options.mode === 'auto' && options.err.isTTY) {
    return (await import('./terminal.ts')).createTerminalReporter(options);
  }
  return (await import('./plain.ts')).createPlainReporter(options);
}
