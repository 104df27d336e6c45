import type { SourceRange } from '../core/error.ts';
import { printable, printableInPlace } from './printable.ts';

const TAB = '\t';
const LONGEST_LINE = 200;

/**
 * The lines that point into a file: `  --> file:line:column`, then the source line with carets under the range.
 * @param sourceLine text of the line that the range starts on; without it there is only the first line
 */
export function sourceFrame(range: SourceRange, sourceLine: string | undefined): readonly string[] {
  const { file, start, end } = range;
  const at = printable(`  --> ${file}:${start.line}:${start.column}`);
  if (sourceLine === undefined) return [at];
  const line = printableInPlace((sourceLine.split(/\r?\n/, 1)[0] ?? '').slice(0, LONGEST_LINE));
  const from = Math.min(start.column - 1, line.length);
  const to = end.line > start.line ? line.trimEnd().length : Math.min(end.column - 1, line.length);
  const number = String(start.line);
  const margin = ' '.repeat(number.length);
  // Tabs are kept so that the carets stand below the text however wide a tab is shown.
  const indent = [...line.slice(0, from)].map((char) => (char === TAB ? TAB : ' ')).join('');
  return [
    at,
    `${margin} |`,
    `${number} | ${line}`,
    `${margin} | ${indent}${'^'.repeat(Math.max(1, to - from))}`,
  ];
}
