import { AppError, type ErrorCode } from './error.ts';
import { given } from './given.ts';

/** Runs `work`; an error of this code that says nothing of what to do next gets the hint. */
export async function hinted<T>(code: ErrorCode, hint: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== code || error.hint !== undefined) throw error;
    const { message, where, missing } = error;
    throw new AppError(code, message, { hint, cause: error.cause ?? error, ...given({ where, missing }) });
  }
}
