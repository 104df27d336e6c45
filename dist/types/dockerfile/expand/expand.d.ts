import { type Where } from '../../core/error.ts';
import type { Escape } from '../parse/directives.ts';
/** The value of a variable; undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;
/**
 * One word from one word: variables replaced, quotes and escapes removed (Dockerfile reference, "Environment
 * replacement"; `${name}` with the modifiers - :- + :+ ? :? # ## % %% / //).
 * @param where the instruction; the error narrows it to the word when the word stands on the source line
 * @throws AppError DOCKERFILE for a missing quote or brace, an unknown modifier, and `${name:?message}` without a value
 */
export declare function expandWord(word: string, lookup: Lookup, escapeChar: Escape, where: Where): string;
/** As expandWord, but the result is split at white space that was not quoted: what EXPOSE does. Empty words vanish. */
export declare function expandWords(word: string, lookup: Lookup, escapeChar: Escape, where: Where): string[];
/**
 * The content of a heredoc of COPY or ADD with `expand`: variables are replaced, quotes stay, and a backslash takes the
 * next character literally whatever the escape directive says.
 * @throws AppError DOCKERFILE as expandWord does
 */
export declare function expandHeredoc(content: string, lookup: Lookup, where: Where): string;
/** The names of the variables that a word reads, nested ones included, in order of first use. */
export declare function variablesIn(word: string, escapeChar: Escape): string[];
/** Whether expansion leaves a word as it is, whatever the variables. */
export declare function isPlain(word: string, escapeChar: Escape): boolean;
/** The place of a word inside a place, when the word stands on its source line; else the place itself. */
export declare function narrowed(where: Where, word: string): Where;
