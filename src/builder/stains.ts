import { AppError } from '../core/error.ts';
import type { Event } from '../core/events.ts';
import type { Stain } from '../rootfs/types.ts';
import type { StainedStep } from './stage-runner.ts';
import { lineOfStep } from './steps/step-error.ts';

/** Says of a step that it is not stored, and because of which mounts and kept paths. */
export function stainWarning({ step, stains }: StainedStep): Event {
  return {
    type: 'warning',
    code: 'NOT_STORED',
    text: `not stored in the cache: ${firstLine(step.text)} ${reasons(stains)}`,
    hint: 'what is built on top is for this container alone too; build where nothing is mounted there, or have the step write elsewhere',
    range: step.range,
  };
}

/** Why an image is not pushed. */
export function stainedImage({ step, stains }: StainedStep): AppError {
  return new AppError(
    'PUSH_FAILED',
    `the image is not pushed, for no other machine would make the same: ${firstLine(step.text)} ${reasons(stains)}`,
    {
      where: lineOfStep(step),
      hint: 'push from a container without that mount, or build with envbuilder build',
    },
  );
}

function reasons(stains: readonly Stain[]): string {
  return stains.map(reason).join(', and ');
}

function reason({ what, path, place, mounted }: Stain): string {
  const where = mounted ? `the mount at ${place}` : `${place}, which is kept as it is,`;
  const which = path === place ? '' : ` (${path})`;
  if (what === 'changed') return `changed ${where}${which} and its layer does not hold that`;
  if (what === 'found')
    return `found ${where} there, which the image does not have and it would have made${which}`;
  return `saw ${where} instead of what the image has there${which}`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
