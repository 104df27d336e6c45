import { type Token } from '../text.ts';
import type { Escape } from './directives.ts';
/**
 * Words separated by white space as BuildKit splits ENV, LABEL and ARG: quotes keep white space together, the escape
 * character takes the next character along, and both stay in the word for its expansion. `offset` is where `text` begins
 * in the logical line.
 */
export declare function quotedWords(text: string, offset: number, escapeChar: Escape): Token[];
/** Words separated by blanks alone, as in FROM, EXPOSE, COPY, ADD and VOLUME: quotes have no meaning here. */
export declare function plainWords(text: string, offset: number): Token[];
/** The leading `--name=value` words, quotes and escapes removed, and what follows them; a bare `--` ends them. */
export declare function leadingFlags(line: string, from: number, escapeChar: Escape): {
    flags: Token[];
    rest: Token;
};
