import { AppError, type Where } from '../../core/error.ts';
import type { Step } from '../../plan/types.ts';

/** Where a step stands, for errors; the first line of its text is the source line. */
export function whereOfStep(step: Step): Where {
  return { range: step.range };
}

/** Runs a step's work; errors that have no place get the step's. */
export async function atStep<T>(step: Step, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.where?.range) throw error;
    throw new AppError(error.code, error.message, {
      where: { ...error.where, range: step.range },
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error.cause ?? error,
    });
  }
}
