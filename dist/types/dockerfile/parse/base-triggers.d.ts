import { type SourceRange } from '../../core/error.ts';
import type { Instruction } from '../types.ts';
/**
 * Reads a trigger that a base image's config holds.
 * @param origin where the base is named; every range in the result is this one, since the trigger stands in no file
 * @throws AppError DOCKERFILE at `origin`, naming the trigger, when it is not exactly one instruction that can follow FROM
 */
export declare function parseOnbuildTrigger(trigger: string, origin: SourceRange): Instruction;
