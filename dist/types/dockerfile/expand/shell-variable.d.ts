import type { Lexer } from './lexer-state.ts';
/** Reads a `$`, the name or braces behind it, and gives the value. */
export declare function readVariable(lexer: Lexer): string;
