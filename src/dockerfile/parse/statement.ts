import type { SourceRange } from '../../core/error.ts';
import { failAt, linesRange, type Source, whereIn } from '../source.ts';
import { type Token, trimmedToken } from '../text.ts';
import type { Heredoc } from '../types.ts';
import { jsonStrings } from './command.ts';
import type { Escape } from './directives.ts';
import { heredocStarts, readHeredocs } from './heredoc.ts';
import { type Cursor, type LogicalLine, readLogicalLine, tokenRange } from './logical-line.ts';
import { leadingFlags } from './words.ts';

/** An instruction taken apart as far as all instructions are alike. */
export interface Statement {
  readonly source: Source;
  readonly escape: Escape;
  readonly line: LogicalLine;
  readonly keyword: Token;
  /** The words that begin with `--`, quotes removed. */
  readonly flags: readonly Token[];
  /** Everything behind the flags, trimmed. */
  readonly rest: Token;
  readonly heredocs: readonly Heredoc[];
  readonly range: SourceRange;
}

/** Reads all instructions behind the directives. */
export function readStatements(cursor: Cursor, escapeChar: Escape): Statement[] {
  const statements: Statement[] = [];
  for (;;) {
    const line = readLogicalLine(cursor, escapeChar);
    if (!line) return statements;
    const statement = splitStatement(cursor.source, escapeChar, line, 0);
    const starts = takesHeredocs(statement) ? heredocStarts(line.text) : [];
    const heredocs = readHeredocs(cursor, line, starts);
    const last =
      heredocs.length > 0 ? linesRange(cursor.source, cursor.next, cursor.next).end : statement.range.end;
    statements.push({ ...statement, heredocs, range: { ...statement.range, end: last } });
  }
}

/** Takes the logical line apart from an offset on; ONBUILD does so with what follows it. */
function splitStatement(source: Source, escapeChar: Escape, line: LogicalLine, from: number): Statement {
  const whole = trimmedToken(line.text, from);
  const text = /^[^\t\v\f\r ]*/.exec(whole.text)![0];
  const keyword = { text, start: whole.start, end: whole.start + text.length };
  const { flags, rest } = leadingFlags(line.text, keyword.end, escapeChar);
  const range = tokenRange(source, line, whole);
  return { source, escape: escapeChar, line, keyword, flags, rest, heredocs: [], range };
}

/** What follows an ONBUILD, as a statement of its own with the same heredocs. */
export function innerStatement(statement: Statement): Statement {
  const { source, escape: escapeChar, line, rest, heredocs, range } = statement;
  return { ...splitStatement(source, escapeChar, line, rest.start), heredocs, range };
}

/** The instruction's name in lower case. */
export function keywordOf(statement: Statement): string {
  return statement.keyword.text.toLowerCase();
}

/** The part that every node shares: where it stands and what it says on one line. */
export function nodeOf(statement: Statement): { range: SourceRange; text: string } {
  return { range: statement.range, text: trimmedToken(statement.line.text, statement.keyword.start).text };
}

/** Throws AppError DOCKERFILE at a token of the statement, or at the whole of it. */
export function fail(statement: Statement, token: Token | undefined, message: string, hint?: string): never {
  const { source, line, range } = statement;
  failAt(source, token ? tokenRange(source, line, token) : range, message, hint);
}

/** The place of a token, for errors that others throw. */
export function whereOf(statement: Statement, token: Token) {
  return whereIn(statement.source, tokenRange(statement.source, statement.line, token));
}

function takesHeredocs(statement: Statement): boolean {
  const keyword = keywordOf(statement);
  if (keyword === 'onbuild') {
    const inner = innerStatement(statement);
    return keywordOf(inner) !== 'onbuild' && takesHeredocs(inner);
  }
  if (keyword !== 'run' && keyword !== 'copy' && keyword !== 'add') return false;
  return !jsonStrings(statement.rest.text);
}
