import { AppError, type Where } from '../../core/error.ts';
import type { Escape } from '../parse/directives.ts';
import type { LexOptions } from './lexer-state.ts';
import { type Lexed, lexWord } from './shell-lexer.ts';

/** The value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/**
 * One word from one word: variables replaced, quotes and escapes removed (Dockerfile reference, "Environment
 * replacement"; `${name}` with the modifiers - :- + :+ ? :? # ## % %% / //).
 * @param where the instruction; the error narrows it to the word when the word stands on the source line
 * @throws AppError DOCKERFILE for a missing quote or brace, an unknown modifier, and `${name:?message}` without a value
 */
export function expandWord(word: string, lookup: Lookup, escapeChar: Escape, where: Where): string {
  return isPlain(word, escapeChar) ? word : lex(word, { lookup, escape: escapeChar }, where).text;
}

/** As expandWord, but the result is split at white space that was not quoted: what EXPOSE does. Empty words vanish. */
export function expandWords(word: string, lookup: Lookup, escapeChar: Escape, where: Where): string[] {
  return [...lex(word, { lookup, escape: escapeChar }, where).words];
}

/**
 * The content of a heredoc of COPY or ADD with `expand`: variables are replaced, quotes stay, and a backslash takes the
 * next character literally whatever the escape directive says.
 * @throws AppError DOCKERFILE as expandWord does
 */
export function expandHeredoc(content: string, lookup: Lookup, where: Where): string {
  return lex(content, { lookup, escape: '\\', plainQuotes: true }, where).text;
}

/** The names of the variables that a word reads, nested ones included, in order of first use. */
export function variablesIn(word: string, escapeChar: Escape): string[] {
  const names = new Set<string>();
  const lookup = (name: string): string => {
    names.add(name);
    return 'x';
  };
  try {
    expandWord(word, lookup, escapeChar, {});
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
  return [...names];
}

/** Whether expansion leaves a word as it is, whatever the variables. */
export function isPlain(word: string, escapeChar: Escape): boolean {
  return !/['"$]/.test(word) && !word.includes(escapeChar);
}

function lex(word: string, options: Omit<LexOptions, 'fail'>, where: Where): Lexed {
  const fail = (message: string): never => {
    const shown = word.length > 80 ? `${word.slice(0, 80)}…` : word;
    throw new AppError('DOCKERFILE', `cannot expand ${JSON.stringify(shown)}: ${message}`, {
      where: narrowed(where, word),
    });
  };
  return lexWord(word, { ...options, fail });
}

/** The place of a word inside a place, when the word stands on its source line; else the place itself. */
export function narrowed(where: Where, word: string): Where {
  const { range, sourceLine } = where;
  const from = (range?.start.column ?? 1) - 1;
  const at = word === '' ? -1 : (sourceLine?.indexOf(word, from) ?? -1);
  if (!range || at === -1) return where;
  const { line } = range.start;
  return {
    ...where,
    range: { ...range, start: { line, column: at + 1 }, end: { line, column: at + word.length + 1 } },
  };
}
