import { AppError } from '../core/error.ts';
import { nearest } from '../core/suggest.ts';
import type { Stage } from '../dockerfile/types.ts';

/** What images are called that are not there, or may not be asked for. */
const NOT_THERE = ['REFERENCE', 'AUTH'];

/**
 * Resolves an image; where there is none by that name, and a stage has nearly the same, the error says so.
 * @param stages those that can be named there
 * @throws AppError as `resolve`
 */
export async function orStage<T>(
  name: string,
  stages: readonly Stage[],
  resolve: () => Promise<T>,
): Promise<T> {
  try {
    return await resolve();
  } catch (error) {
    if (!(error instanceof AppError) || !NOT_THERE.includes(error.code)) throw error;
    const stage = nearest(
      name,
      stages.flatMap(({ from }) => from.name ?? []),
    );
    if (stage === undefined) throw error;
    const { code, message, cause, where } = error;
    throw new AppError(code, message, {
      cause,
      ...(where ? { where } : {}),
      hint: `did you mean the stage ${stage}?`,
    });
  }
}
