/** Which patterns a directory matched; what lies below it matches them too. */
export type MatchState = readonly boolean[];
/** Whether a path is excluded, and the state for what lies below it. */
export interface Judgement {
    readonly excluded: boolean;
    readonly state: MatchState;
}
export interface IgnoreMatcher {
    /** As they were given. */
    readonly patterns: readonly string[];
    /** Judges one path on a walk. `parent` is the state of the directory that holds it, undefined at the top. */
    match(path: string, parent: MatchState | undefined): Judgement;
    /** Judges a path by itself and the directories above it. */
    judge(path: string): Judgement;
    /** Whether a path is excluded, by itself or by a directory above it. */
    matches(path: string): boolean;
    /** Whether anything below an excluded directory could still be brought back by an exception. */
    mayHold(directory: string): boolean;
}
/**
 * A matcher over patterns as .dockerignore and COPY --exclude have them, the last one that matches wins. The rules, odd
 * cases included, are those of github.com/moby/patternmatcher (MatchesUsingParentResults) and of the walk in
 * github.com/tonistiigi/fsutil.
 * @param file for messages: where the patterns stand
 * @throws AppError CONTEXT for a malformed pattern
 */
export declare function createMatcher(patterns: readonly string[], file?: string): IgnoreMatcher;
