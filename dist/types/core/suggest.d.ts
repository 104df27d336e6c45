/** The option nearest to `word` by edits, ignoring case; undefined when none is close, by at most half of the word. */
export declare function nearest(word: string, options: Iterable<string>): string | undefined;
/** A hint for an unknown word: the nearest option as a question, else the list of all. */
export declare function didYouMean(word: string, options: readonly string[]): string;
