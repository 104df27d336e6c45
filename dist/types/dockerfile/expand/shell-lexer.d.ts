import type { LexOptions } from './lexer-state.ts';
export interface Lexed {
    readonly text: string;
    /** The text split at white space that was neither quoted nor escaped. */
    readonly words: readonly string[];
}
/** Reads a whole word: quotes, escapes and `$` are processed. */
export declare function lexWord(source: string, options: LexOptions): Lexed;
