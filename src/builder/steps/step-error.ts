import { dirname } from 'node:path';
import { AppError, SHORTER, toAppError, type Where } from '../../core/error.ts';
import { missingRight } from '../../core/missing-right.ts';
import { tooLong } from '../../core/too-long.ts';
import type { Step } from '../../plan/types.ts';

/** Where a step stands, for errors; the first line of its text is the source line. */
export function whereOfStep(step: Step): Where {
  return { range: step.range };
}

/** The same with that line, where it is one of a file. */
export function lineOfStep(step: Step): Where {
  return { range: step.range, ...(step.titled ? {} : { sourceLine: step.text }) };
}

/** What paths of an image, a context or an archive alone can be the cause of. */
const PATHS = ['EEXIST', 'EINVAL', 'EISDIR', 'ELOOP', 'EMLINK', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EXDEV'];
const UNWRITTEN = 'cannot write the files of this step';
const FULL = ['ENOSPC', 'EDQUOT'];
const RIGHTS = ['EPERM', 'EACCES', 'EROFS'];

/**
 * Runs a step's work; errors that have no place get the step's, and those of the file system a code.
 * @param root the root file system that it works on, whose paths are the image's
 */
export async function atStep<T>(step: Step, root: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = withCode(thrown, root);
    if (!(error instanceof AppError) || error.where?.range) throw error;
    throw new AppError(error.code, error.message, {
      where: { ...error.where, range: step.range },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error.cause ?? error,
    });
  }
}

/** A full disk before the work of a step has begun, at the step; other errors as they are. */
export function withoutRoom(step: Step, thrown: unknown): unknown {
  const { code = '' } = thrown as NodeJS.ErrnoException;
  if (!FULL.includes(code)) return thrown;
  return toAppError(thrown, 'BUILD_FAILED', UNWRITTEN, { where: whereOfStep(step) });
}

function withCode(error: unknown, root: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException;
  const long = tooLong(error, dirname(root));
  if (long !== undefined)
    return new AppError('BUILD_FAILED', `${UNWRITTEN}: ${long}`, { hint: SHORTER, cause: error });
  if (missingRight(error)) return toAppError(error, 'PERMISSION', UNWRITTEN);
  if (PATHS.includes(code) || FULL.includes(code)) return toAppError(error, 'BUILD_FAILED', UNWRITTEN);
  return RIGHTS.includes(code) ? toAppError(error, 'PERMISSION', UNWRITTEN) : error;
}
