import { type Source } from '../source.ts';
export type Escape = '\\' | '`';
/** The parser directives at the top of a file. */
export interface Directives {
    /** By lower-case name: syntax, escape, check. */
    readonly values: ReadonlyMap<string, string>;
    readonly escape: Escape;
    /** How many lines they take; everything after them is instructions and comments. */
    readonly lineCount: number;
}
/**
 * Reads `# name=value` lines until the first line that is not one (Dockerfile reference, "Parser directives"). An
 * interpreter line (`#!`) may stand before syntax and check.
 * @throws AppError DOCKERFILE for a directive given twice and for an escape that is neither \ nor `
 */
export declare function readDirectives(source: Source): Directives;
/** A directive in a comment line, the name in lower case. */
export declare function directiveIn(line: string): {
    name: string;
    value: string;
} | undefined;
