/** One line of an ignore file, ready to match. */
export interface IgnorePattern {
    /** The line without its `!`, cleaned. */
    readonly text: string;
    /** `!`: what it matches is not excluded after all. */
    readonly exception: boolean;
    /** Whether a path matches by itself; its parents are the caller's business. */
    matches(path: string): boolean;
}
/**
 * Compiles a cleaned pattern as github.com/moby/patternmatcher does: `**` is any number of directories, `*` and `?` stay
 * within one, and everything else goes through a regular expression of Go (RE2) once a special character occurs, so that
 * `\d` is a digit there. The pattern must also be one that filepath.Match accepts.
 * @throws AppError CONTEXT for a malformed pattern
 */
export declare function compileIgnorePattern(text: string, exception: boolean): IgnorePattern;
