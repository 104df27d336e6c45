import type { Command } from '../types.ts';
/**
 * A JSON array of strings; undefined when the text is no JSON array.
 * 'mixed' is an array with something else than strings in it, which no instruction accepts.
 */
export declare function parseJsonForm(text: string): readonly string[] | 'mixed' | undefined;
/** Whether the text is a JSON array of strings. */
export declare function jsonStrings(text: string): boolean;
/** Whether a text that is no JSON was probably meant to be: `["a"` or `['a', 'b']`, but not the shell's `[ "$a" = b ]`. */
export declare function looksLikeJson(text: string): boolean;
/** The command of a text: exec form when it is a JSON array of strings, else shell form. */
export declare function commandOf(argv: readonly string[] | undefined, line: string): Command;
