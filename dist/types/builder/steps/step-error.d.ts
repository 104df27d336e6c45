import { type Where } from '../../core/error.ts';
import type { Step } from '../../plan/types.ts';
/** Where a step stands, for errors; the first line of its text is the source line. */
export declare function whereOfStep(step: Step): Where;
/** Runs a step's work; errors that have no place get the step's, and those of the file system a code. */
export declare function atStep<T>(step: Step, work: () => Promise<T>): Promise<T>;
