/** How to read a word; the rules are those of BuildKit's shell lexer, which the Dockerfile reference describes in part. */
export interface LexOptions {
    readonly lookup: (name: string) => string | undefined;
    readonly escape: string;
    /** Reports a syntax error; it must throw. */
    readonly fail: (message: string) => never;
    /** Quotes stay in the result. */
    readonly keepQuotes?: boolean;
    /** Escape characters stay in the result. */
    readonly keepEscapes?: boolean;
    /** Quotes are ordinary characters. */
    readonly plainQuotes?: boolean;
    /** Variables without a value stay as they are written. */
    readonly keepUnset?: boolean;
}
/** A word while it is read; `at` moves. */
export interface Lexer {
    readonly chars: readonly string[];
    readonly options: LexOptions;
    /** Reads up to and over a character that ends a nested word. */
    readonly readUntil: (stop: string, keepEscapes: boolean) => string;
    at: number;
    keepEscapes: boolean;
}
