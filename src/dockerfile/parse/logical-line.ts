import type { SourceRange } from '../../core/error.ts';
import type { Source } from '../source.ts';
import { skipSpace, type Token } from '../text.ts';
import type { Escape } from './directives.ts';

/** Physical lines joined at their continuations, comments and empty lines in between left out. */
export interface LogicalLine {
  readonly text: string;
  /** Where the pieces of `text` come from, by offset; lines and columns count from 1. */
  readonly pieces: readonly { readonly offset: number; readonly line: number; readonly column: number }[];
  readonly startLine: number;
  readonly endLine: number;
  /** Comments right above, without `#`; a bare `#` starts them afresh. */
  readonly comments: readonly string[];
  /** Empty lines between continuations, which BuildKit deprecates. */
  readonly emptyLines: readonly number[];
}

/** A position in a source's lines; `next` counts from 0 and moves as lines are read. */
export interface Cursor {
  readonly source: Source;
  next: number;
}

/** Reads the next logical line; undefined at the end of the file. */
export function readLogicalLine(cursor: Cursor, escapeChar: Escape): LogicalLine | undefined {
  const { lines } = cursor.source;
  const start = skipToInstruction(cursor);
  if (!start) return undefined;
  const startLine = cursor.next + 1;
  const pieces: LogicalLine['pieces'][number][] = [];
  const emptyLines: number[] = [];
  let text = '';
  for (let first = true; cursor.next < lines.length; first = false) {
    const line = withoutReturns(lines[cursor.next]!);
    cursor.next += 1;
    if (!first) {
      const column = skipSpace(line);
      if (line[column] === '#') continue;
      if (column === line.length) {
        emptyLines.push(cursor.next);
        continue;
      }
    }
    const indent = first ? start.indent : 0;
    const { content, more } = cutContinuation(line.slice(indent), escapeChar);
    pieces.push({ offset: text.length, line: cursor.next, column: indent + 1 });
    text += content;
    if (!more) break;
  }
  return { text, pieces, startLine, endLine: cursor.next, comments: start.comments, emptyLines };
}

/** The range of a token of this line. */
export function tokenRange(source: Source, line: LogicalLine, token: Token): SourceRange {
  const start = position(line, token.start);
  const last = position(line, Math.max(token.start, token.end - 1));
  const width = token.end > token.start ? 1 : 0;
  return { file: source.file, start, end: { line: last.line, column: last.column + width } };
}

function position(line: LogicalLine, offset: number): { line: number; column: number } {
  const piece = line.pieces.findLast((one) => one.offset <= offset) ?? line.pieces[0]!;
  return { line: piece.line, column: piece.column + offset - piece.offset };
}

function skipToInstruction(cursor: Cursor): { indent: number; comments: string[] } | undefined {
  let comments: string[] = [];
  for (; cursor.next < cursor.source.lines.length; cursor.next += 1) {
    const line = cursor.source.lines[cursor.next]!;
    const indent = skipSpace(line);
    if (indent === line.length) continue;
    if (line[indent] !== '#') return { indent, comments };
    const comment = line.slice(indent + 1).trim();
    comments = comment === '' ? [] : [...comments, comment];
  }
  return undefined;
}

function cutContinuation(line: string, escapeChar: Escape): { content: string; more: boolean } {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end -= 1;
  const more = line[end - 1] === escapeChar && line[end - 2] !== escapeChar;
  return { content: more ? line.slice(0, end - 1) : line, more };
}

function withoutReturns(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === '\r') end -= 1;
  return line.slice(0, end);
}
