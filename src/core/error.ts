import { missingRight } from './missing-right.ts';
import { tooLong } from './too-long.ts';

/** A position in a text file; lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where something stands in a source file; `end` is exclusive. */
export interface SourceRange {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}

/** Where an error happened: any of a source range (with the text of its first line), a layer, a URL without credentials. */
export interface Where {
  readonly range?: SourceRange;
  /** The source line that `range` starts on, for the caret. */
  readonly sourceLine?: string;
  readonly layer?: string;
  readonly url?: string;
  readonly path?: string;
}

/** Why a step is missing, for people and for programs: the codes are those of docs/reference/miss-causes.md. */
export interface MissingCause {
  readonly code: string;
  readonly text: string;
  /** Variables, files, secrets, images or whatever the code speaks of: never values. */
  readonly names?: readonly string[];
}

/** The step that a cache lacks, for programs. */
export interface MissingStep {
  /** The first line of the instruction. */
  readonly instruction: string;
  readonly stage: string;
  /** Why it is missing, when an earlier record tells. */
  readonly reason?: string;
  /** The same for programs, by the codes of docs/reference/miss-causes.md. */
  readonly causes?: readonly MissingCause[];
}

export interface AppErrorDetails {
  /** What the user can do next, one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  readonly where?: Where;
  readonly missing?: MissingStep;
}

/**
 * Every error that a user may see. `code` decides the exit code and any fallback; nothing ever matches on messages.
 * Messages are one sentence without a trailing full stop and never contain a credential.
 */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly where: Where | undefined;
  /** Of CACHE_MISS. */
  readonly missing: MissingStep | undefined;

  constructor(code: ErrorCode, message: string, details: AppErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'AppError';
    this.code = code;
    this.hint = details.hint;
    this.where = details.where;
    this.missing = details.missing;
  }
}

/** Exit codes of the command line, by error code; docs/reference/exit-codes.md is generated from this table. */
export const EXIT_CODES = {
  INTERNAL: { exit: 1, text: 'a defect in envbuilder itself' },
  USAGE: { exit: 2, text: 'an unknown flag, a bad option value or a missing argument' },
  BUILD_FAILED: {
    exit: 3,
    text: 'a RUN command exited with a failure, or the files of a step cannot be written',
  },
  DOCKERFILE: { exit: 4, text: 'the Dockerfile is missing or wrong' },
  CONTEXT: { exit: 5, text: 'the build context is missing, unreadable or lacks a file that is copied' },
  REFERENCE: { exit: 6, text: 'an image reference is malformed or names nothing' },
  REGISTRY: { exit: 7, text: 'a registry cannot be reached or answered with an error' },
  AUTH: { exit: 8, text: 'a registry or git server refused the credentials' },
  CORRUPT: { exit: 9, text: 'content does not match its digest or cannot be decoded' },
  CACHE_MISS: { exit: 10, text: 'a probe found that something is not cached' },
  NOT_PUSHED: { exit: 11, text: 'a probe found every layer, but the image itself was never pushed' },
  PUSH_FAILED: { exit: 12, text: 'a push failed and EXIT_ON_PUSH_FAILURE is set' },
  PERMISSION: { exit: 13, text: 'a right is missing: root, or one of its capabilities' },
  DISK_FULL: { exit: 14, text: 'no space is left on the device' },
  UNSAFE: { exit: 15, text: 'refused, because it would overwrite something that is not ours' },
  WORKSPACE: { exit: 16, text: 'the workspace cannot be cloned or read' },
  DEVCONTAINER: { exit: 17, text: 'devcontainer.json is missing or wrong' },
  CACHE_DIR: { exit: 18, text: 'a cache directory cannot be used' },
  OUTPUT: { exit: 19, text: 'the output cannot be written' },
  START_FAILED: {
    exit: 20,
    text: 'the container was built but cannot be started: its user, setup script or init command',
  },
  OUTSIDE: { exit: 21, text: 'a definition names a file or directory outside of its repository' },
  CHECK: { exit: 22, text: 'a check of a Dockerfile found something' },
  ABORTED: { exit: 130, text: 'ended by SIGINT or SIGTERM' },
} as const satisfies Record<string, { exit: number; text: string }>;

export type ErrorCode = keyof typeof EXIT_CODES;

/**
 * Wraps anything thrown as an AppError; a full disk, and a capability that root lacks, are recognised by errno wherever they
 * occur: then the code is DISK_FULL or PERMISSION. A name that is too long is never a defect, but USAGE.
 * @param code used when the errno says nothing more precise
 */
export function toAppError(
  thrown: unknown,
  code: ErrorCode,
  message: string,
  details: AppErrorDetails = {},
): AppError {
  if (thrown instanceof AppError) return thrown;
  const errno = (thrown as NodeJS.ErrnoException | undefined)?.code;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  if (errno === 'ENOSPC' || errno === 'EDQUOT') {
    return new AppError('DISK_FULL', `${message}: no space left on device`, {
      hint: 'free some space, or name a directory on a larger file system: builds work in that of --work-dir',
      ...details,
      cause: thrown,
    });
  }
  const long = tooLong(thrown);
  if (long !== undefined) {
    const named = code === 'INTERNAL';
    return new AppError(named ? 'USAGE' : code, named ? long : `${message}: ${long}`, {
      ...details,
      hint: SHORTER,
      cause: thrown,
    });
  }
  const right = missingRight(thrown);
  if (right !== undefined && (code === 'INTERNAL' || code === 'PERMISSION' || isRoot())) {
    const { hint = right.hint } = code === 'PERMISSION' ? details : {};
    return new AppError('PERMISSION', `${message}: ${reason}; ${right.reason}`, {
      ...details,
      hint,
      cause: thrown,
    });
  }
  if (errno === 'EROFS' && code === 'INTERNAL') {
    return new AppError('PERMISSION', `${message}: ${reason}`, {
      hint: 'what is written to has to be mounted writable',
      ...details,
      cause: thrown,
    });
  }
  return new AppError(code, `${message}: ${reason}`, { ...details, cause: thrown });
}

/** What to do about a path that no system call takes. */
export const SHORTER = 'use shorter names';

/** What other users may not do is for the caller to say. */
function isRoot(): boolean {
  return process.geteuid?.() === 0;
}
