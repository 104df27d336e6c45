/** Whether one character is white space. */
export declare function isSpace(char: string): boolean;
/** The offset of the first character at or after `from` that is not white space; the text's length when there is none. */
export declare function skipSpace(text: string, from?: number): number;
/** A piece of a logical line: `start` and `end` are offsets into it, `text` is what stands there (flags: without quotes). */
export interface Token {
    readonly text: string;
    readonly start: number;
    readonly end: number;
}
/** The trimmed part of `text` from `from` on. */
export declare function trimmedToken(text: string, from: number): Token;
