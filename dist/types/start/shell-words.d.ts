/**
 * The words of a text, split as a POSIX shell splits a line that holds nothing but words (XCU 2.2, "Quoting"): blanks
 * outside of quotes separate them, and nothing is expanded.
 * @param what names the text in the error
 * @throws AppError USAGE for a quote that is not closed, or a backslash at the end
 */
export declare function splitWords(text: string, what: string): string[];
/** A text as one word of a POSIX shell. */
export declare function quoteWord(text: string): string;
