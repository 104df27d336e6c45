import type { Git } from '../context/git/git.ts';
import type { GitUrl } from '../context/git/git-url.ts';
import type { GitResult } from '../context/git/types.ts';
import type { AppError } from '../core/error.ts';
import type { CloneRequest, WorkspaceDeps } from './types.ts';
/** git as the steps of a clone call it: with progress, and failures as errors of the clone. */
export interface GitRunner {
    /** Runs git; a failure is in the result. */
    attempt(args: readonly string[]): Promise<GitResult>;
    /** @throws AppError */
    must(args: readonly string[]): Promise<GitResult>;
    /** As `must`, tried again when the network fails; `clears` is removed before each further try. */
    retried(args: readonly string[], options?: {
        readonly clears?: string;
    }): Promise<GitResult>;
    /** The error that a failed result is. */
    errorOf(result: GitResult): AppError;
    readonly emit: WorkspaceDeps['emit'];
}
/** git for one clone. */
export declare function createRunner(git: Git, url: GitUrl, request: CloneRequest, { emit, signal }: WorkspaceDeps): GitRunner;
