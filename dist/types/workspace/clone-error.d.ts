import type { GitUrl } from '../context/git/git-url.ts';
import type { GitFailureKind, GitResult } from '../context/git/types.ts';
import { AppError } from '../core/error.ts';
import type { CloneRequest } from './types.ts';
/** The kind of failure that a result of git tells of. */
export declare function failureKind({ code, messages }: GitResult): GitFailureKind;
/** The error for a clone that failed, with what the user can do about it. */
export declare function cloneError(result: GitResult, url: GitUrl, request: CloneRequest): AppError;
