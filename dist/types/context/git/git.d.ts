import type { GitResult, GitSettings } from './types.ts';
export interface GitCall {
    readonly cwd?: string;
    readonly signal?: AbortSignal;
    /** Called for each update of git's progress. */
    readonly onProgress?: (what: string, done: number, total: number) => void;
    /** Called for each other line on standard error. */
    readonly onLine?: (line: string) => void;
}
/** git with fixed settings. */
export interface Git {
    /**
     * Runs git to its end; a failure is in the result. When the signal aborts, git and its children are ended, and the
     * signal's reason is thrown.
     */
    run(args: readonly string[], call?: GitCall): Promise<GitResult>;
    /** Lines of known hosts whose keys were accepted unseen so far. */
    acceptedHosts(): readonly string[];
    close(): void;
}
/** The code of a result when the program could not be started at all. */
export declare const GIT_MISSING = -1;
/** Prepares git; nothing runs yet. Close it, or its unnamed files stay open. */
export declare function createGit(settings: GitSettings): Git;
