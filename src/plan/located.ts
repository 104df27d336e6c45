import { AppError, type Where } from '../core/error.ts';

/** Runs `work`; adds the place of the instruction to errors that have none. */
export async function located<T>(where: Where, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.where?.range) throw error;
    const { hint, cause } = error;
    throw new AppError(error.code, error.message, {
      where: { ...where, ...error.where },
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
