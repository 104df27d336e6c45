import type { Git } from '../context/git/git.ts';
import { gitReason } from '../context/git/git-failure.ts';
import type { GitUrl } from '../context/git/git-url.ts';
import { createFileCount, type FileCount } from '../context/git/too-many-files.ts';
import type { GitResult } from '../context/git/types.ts';
import { AppError } from '../core/error.ts';
import { GIT_FILES } from '../core/network-limits.ts';
import { type RetryPolicy, retry } from '../core/retry.ts';
import { maskUrlCredentials } from '../core/url-credentials.ts';
import { removeTree } from '../sys/remove-tree.ts';
import { cloneError, failureKind } from './clone-error.ts';
import type { CloneRequest, WorkspaceDeps } from './types.ts';

/** git as the steps of a clone call it: with progress, and failures as errors of the clone. */
export interface GitRunner {
  /** Runs git; a failure is in the result. */
  attempt(args: readonly string[]): Promise<GitResult>;
  /** @throws AppError */
  must(args: readonly string[]): Promise<GitResult>;
  /** As `must`, tried again when the network fails; `clears` is removed before each further try. */
  retried(args: readonly string[], options?: { readonly clears?: string }): Promise<GitResult>;
  /** @throws AppError where a commit of a repository has more files than are checked out */
  allowed(directory: string, commit: string): Promise<void>;
  /** Counts what is checked out. */
  readonly files: FileCount;
  /** The error that a failed result is. */
  errorOf(result: GitResult): AppError;
  readonly emit: WorkspaceDeps['emit'];
}

const POLICY: RetryPolicy = { attempts: 3, baseDelayMs: 1000, maxDelayMs: 10_000 };

/** git for one clone. */
export function createRunner(
  git: Git,
  url: GitUrl,
  request: CloneRequest,
  { emit, signal }: WorkspaceDeps,
): GitRunner {
  const attempt = (args: readonly string[]): Promise<GitResult> =>
    git.run(args, {
      signal,
      onProgress: (what, done, total) =>
        emit({ type: 'progress', what: `git: ${what.toLowerCase()}`, done, total, unit: 'objects' }),
      onLine: (line) => emit({ type: 'message', level: 'debug', text: `git: ${line}` }),
    });
  const errorOf = (result: GitResult): AppError => cloneError(result, url, request);
  const must = async (args: readonly string[]): Promise<GitResult> => {
    const result = await attempt(args);
    if (result.code !== 0) throw new Failed(result);
    return result;
  };
  const unwrapped = async (work: () => Promise<GitResult>): Promise<GitResult> => {
    try {
      return await work();
    } catch (error) {
      throw error instanceof Failed ? errorOf(error.result) : error;
    }
  };
  const files = createFileCount(git, { signal });
  return {
    attempt,
    errorOf,
    emit,
    files,
    allowed: async (directory, commit) => {
      if (!(await files.exceeds(directory, commit))) return;
      const remote = maskUrlCredentials(url.remote);
      throw new AppError('WORKSPACE', `${remote} has more than ${GIT_FILES.toLocaleString('en')} files`, {
        where: { url: remote },
        hint: 'so many are not cloned; mount the workspace instead',
      });
    },
    must: (args) => unwrapped(() => must(args)),
    retried: (args, { clears } = {}) =>
      unwrapped(() =>
        retry(
          POLICY,
          {
            signal,
            delayFor: (error, suggested) =>
              error instanceof Failed && failureKind(error.result) === 'network' ? suggested : undefined,
            onRetry: (error, number, delayMs) =>
              emit({
                type: 'retry',
                what: `git ${url.remote}`,
                attempt: number,
                delayMs,
                reason: error instanceof Failed ? gitReason(error.result.messages) : String(error),
              }),
          },
          async (number) => {
            if (number > 1 && clears !== undefined) removeTree(clears);
            return must(args);
          },
        ),
      ),
  };
}

/** Carries a result through retry; never leaves this file. */
class Failed extends Error {
  readonly result: GitResult;

  constructor(result: GitResult) {
    super('git failed');
    this.result = result;
  }
}
