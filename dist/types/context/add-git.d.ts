/** A git source of ADD: where, what, and which part of it. */
export interface GitSource {
    readonly remote: string;
    /** Branch, tag or commit; the remote's HEAD when left out. */
    readonly ref?: string;
    readonly subdir?: string;
}
/** Whether a source of ADD is a git repository (Dockerfile reference, "Adding files from a Git repository"). */
export declare function isGitUrl(source: string): boolean;
/** Splits `remote#ref:subdir`, or `remote?ref=…&subdir=…`. */
export declare function parseGitUrl(source: string): GitSource;
/**
 * The commit that a git source names now, by one `git ls-remote`.
 * @throws AppError CONTEXT when the repository cannot be asked or has no such reference; the reason of the signal
 */
export declare function resolveGitCommit(source: string, signal?: AbortSignal): Promise<string>;
/**
 * Checks a commit of a git source out into an empty directory, submodules included.
 * @throws AppError CONTEXT; the reason of the signal
 */
export declare function checkoutGit(source: string, commit: string, target: string, { keepGitDir, signal }: {
    readonly keepGitDir: boolean;
    readonly signal?: AbortSignal;
}): Promise<void>;
/** The address without the login of an HTTP server; the user of any other one is a part of it. */
export declare function gitAddress(remote: string): string;
