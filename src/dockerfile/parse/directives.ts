import { failAt, linesRange, type Source } from '../source.ts';
import { skipSpace } from '../text.ts';

export type Escape = '\\' | '`';

/** The parser directives at the top of a file. */
export interface Directives {
  /** By lower-case name: syntax, escape, check. */
  readonly values: ReadonlyMap<string, string>;
  readonly escape: Escape;
  /** How many lines they take; everything after them is instructions and comments. */
  readonly lineCount: number;
}

const KNOWN: ReadonlySet<string> = new Set(['syntax', 'escape', 'check']);

/**
 * Reads `# name=value` lines until the first line that is not one (Dockerfile reference, "Parser directives"). An
 * interpreter line (`#!`) may stand before syntax and check.
 * @throws AppError DOCKERFILE for a directive given twice and for an escape that is neither \ nor `
 */
export function readDirectives(source: Source): Directives {
  const values = new Map<string, string>();
  let escapeChar: Escape = '\\';
  const shebang = source.lines[0]?.startsWith('#!') ?? false;
  let index = shebang ? 1 : 0;
  for (; index < source.lines.length; index += 1) {
    const found = directiveIn(source.lines[index]!);
    if (!found || (shebang && found.name === 'escape')) break;
    const range = linesRange(source, index + 1, index + 1);
    if (values.has(found.name))
      failAt(source, range, `the directive ${found.name} is given twice`, 'keep one of them');
    if (found.name === 'escape') {
      if (found.value !== '\\' && found.value !== '`') {
        failAt(source, range, `the escape directive has the invalid value "${found.value}"`, 'use \\ or `');
      }
      escapeChar = found.value;
    }
    values.set(found.name, found.value);
  }
  return { values, escape: escapeChar, lineCount: index };
}

/** A directive in a comment line, the name in lower case. */
export function directiveIn(line: string): { name: string; value: string } | undefined {
  const match = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.slice(skipSpace(line)));
  if (!match) return undefined;
  const name = match[1]!.toLowerCase();
  return KNOWN.has(name) ? { name, value: match[2]! } : undefined;
}
