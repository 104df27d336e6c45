import type { SourceRange } from '../../core/error.ts';

/** A place in a file as BuildKit's JSON has it: lines from 1. */
export function location({ start, end }: SourceRange): object {
  return { ranges: [{ start: { line: start.line }, end: { line: end.line } }] };
}

/** A file as BuildKit's JSON has it. */
export function base64(content: string): string {
  return Buffer.from(content).toString('base64');
}

/** Rows in columns, with blanks between them; a row has no blanks at its end. */
export function columns(rows: readonly (readonly string[])[], gap = 3): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at]! + gap))
      .join('')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}
