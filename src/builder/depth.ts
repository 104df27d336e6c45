import { AppError, type Where } from '../core/error.ts';
import { LIMITS } from '../core/limits.ts';

/**
 * Nothing is made that is not read again: an image of more layers would be refused as a base, and its records as hits.
 * @param count layers of an image, or of a stage with those of its base
 * @param where the step that makes them too many; undefined where that is what is put on top of all steps
 * @throws AppError BUILD_FAILED
 */
export function checkDepth(count: number, where?: Where): void {
  const { most } = LIMITS.layers;
  if (count <= most) return;
  const what = where === undefined ? 'the image with its runtime' : 'the image after this step';
  throw new AppError('BUILD_FAILED', `${what} has ${count} layers; it may have ${most}`, {
    hint: "put several commands into one RUN, or files into one COPY; Docker's own limit is 125",
    ...(where === undefined ? {} : { where }),
  });
}
