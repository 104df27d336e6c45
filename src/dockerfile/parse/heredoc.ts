import type { SourceRange } from '../../core/error.ts';
import { lexWord } from '../expand/shell-lexer.ts';
import { failAt, linesRange } from '../source.ts';
import type { Heredoc } from '../types.ts';
import { type Cursor, type LogicalLine, tokenRange } from './logical-line.ts';

/** What a word such as `<<EOF`, `3<<-"EOF"` says about the document to come. */
export type HeredocStart = Pick<Heredoc, 'name' | 'expand' | 'chomp' | 'fd'>;

/**
 * Reads a text that is nothing but the start of a heredoc; undefined for any other text. Use it on a RUN's line to tell
 * `RUN <<EOF` (the document is the script) from a command with a heredoc in it.
 */
export function heredocStart(text: string): HeredocStart | undefined {
  const match = /^(\d*)<<(-?)\s*([^<]*)$/.exec(text);
  if (!match || match[3] === '') return undefined;
  const rest = match[3]!;
  const bare = lexed(rest, false);
  const raw = lexed(rest, true);
  if (bare?.length !== 1 || raw?.length !== 1) return undefined;
  const name = bare[0]!;
  const expand = quotes(name) === quotes(raw[0]!);
  return { name, expand, chomp: match[2] === '-', fd: match[1] === '' ? 0 : Number(match[1]) };
}

/** The heredocs that a logical line starts, left to right; a line whose quotes do not match starts none. */
export function heredocStarts(text: string): HeredocStart[] {
  if (!text.includes('<<')) return [];
  const words = attempt((fail) => {
    const raw = { keepQuotes: true, keepEscapes: true, keepUnset: true };
    return lexWord(text, { ...raw, lookup: () => undefined, escape: '\\', fail }).words;
  });
  return (words ?? []).map(heredocStart).filter((start) => start !== undefined);
}

/**
 * Reads the documents behind a line, moving the cursor past their terminators.
 * @throws AppError DOCKERFILE for one that has no terminator
 */
export function readHeredocs(cursor: Cursor, line: LogicalLine, starts: readonly HeredocStart[]): Heredoc[] {
  const { source } = cursor;
  let from = 0;
  return starts.map((start) => {
    const mark = line.text.indexOf('<<', from);
    const at = line.text.indexOf(start.name, mark);
    const end = at === -1 ? mark + 2 : at + start.name.length;
    from = end;
    const word = tokenRange(source, line, { text: start.name, start: mark, end });
    return { ...start, ...readDocument(cursor, start, word) };
  });
}

function readDocument(
  cursor: Cursor,
  start: HeredocStart,
  word: SourceRange,
): Pick<Heredoc, 'content' | 'range'> {
  const { source } = cursor;
  const first = cursor.next + 1;
  let content = '';
  for (; cursor.next < source.lines.length; cursor.next += 1) {
    const line = source.lines[cursor.next]!;
    const text = start.chomp ? line.replace(/^\t+/, '') : line;
    if (text.replace(/\r+$/, '') === start.name) {
      cursor.next += 1;
      return { content, range: linesRange(source, first, cursor.next) };
    }
    content += `${text}${source.returns.has(cursor.next) ? '\r' : ''}\n`;
  }
  failAt(source, word, `the heredoc ${start.name} has no end`, `add a line that is exactly ${start.name}`);
}

function lexed(text: string, keepQuotes: boolean): readonly string[] | undefined {
  return attempt(
    (fail) =>
      lexWord(text, { keepQuotes, keepUnset: true, lookup: () => undefined, escape: '\\', fail }).words,
  );
}

function attempt<T>(work: (fail: (message: string) => never) => T): T | undefined {
  const failure = new Error('not a shell word');
  try {
    return work(() => {
      throw failure;
    });
  } catch (error) {
    if (error === failure) return undefined;
    throw error;
  }
}

function quotes(text: string): number {
  return text.match(/["']/g)?.length ?? 0;
}
