import { AppError, type SourceRange } from '../core/error.ts';
import { printable, printableLines } from './printable.ts';
import { sourceFrame } from './source-frame.ts';
import type { Style } from './style.ts';

export interface RenderOptions {
  /** Show causes, and stacks where there are any. */
  readonly verbose: boolean;
  readonly style: Style;
  /** Reads the line that a range starts on, for errors that do not carry it. */
  readonly readLine?: (range: SourceRange) => string | undefined;
}

/** An error for people: what happened, where, and what to do next; printable. Ends without a newline. */
export function renderError(error: AppError, { verbose, style, readLine }: RenderOptions): string {
  const { where, hint, code } = error;
  const lines = [`${style.bad('error:')} ${printableLines(error.message)}`];
  if (where?.range) {
    lines.push(...sourceFrame(where.range, where.sourceLine ?? readLine?.(where.range)));
  }
  for (const place of [where?.path, where?.layer && `layer ${where.layer}`, where?.url]) {
    if (place && !error.message.includes(place.replace(/^layer /, '')))
      lines.push(printable(`  --> ${place}`));
  }
  if (hint) lines.push(`${style.hint('hint:')} ${printableLines(hint)}`);
  if (code === 'INTERNAL') {
    lines.push(
      printableLines(stackOf(error)),
      'This is a defect in envbuilder. Please report it with the lines above.',
    );
  }
  if (verbose) lines.push(...causes(error).map(printableLines));
  return lines.join('\n');
}

/** An error as data, as the JSON lines have it. */
export function errorRecord(error: AppError): Readonly<Record<string, unknown>> {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.where === undefined ? {} : { where: error.where }),
  };
}

function stackOf(error: AppError): string {
  const origin = error.cause instanceof Error ? error.cause : error;
  return origin.stack ?? String(origin);
}

function causes(error: AppError): readonly string[] {
  const lines: string[] = [];
  const seen = new Set<unknown>([error]);
  let cause: unknown = error.cause;
  while (cause !== undefined && cause !== null && !seen.has(cause)) {
    seen.add(cause);
    const code = cause instanceof AppError ? ` [${cause.code}]` : '';
    lines.push(`caused by${code}: ${cause instanceof Error ? cause.message : String(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return lines;
}
