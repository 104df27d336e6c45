import type { PlanInput } from './inputs.ts';
import type { Plan } from './types.ts';
/**
 * Works out all that a build does: every stage that the target needs, every step, every key. Nothing is run, and of
 * images only manifests and configs are read.
 * @throws AppError DOCKERFILE, CONTEXT, REFERENCE, REGISTRY, each at its instruction
 */
export declare function plan(input: PlanInput): Promise<Plan>;
