import { type Where } from '../core/error.ts';
import type { Dockerfile } from './types.ts';
type Stages = Pick<Dockerfile, 'stages'>;
/** What a FROM, a `COPY --from` or a mount's `from` names. */
export type StageSource = {
    readonly type: 'stage';
    readonly stage: number;
} | {
    readonly type: 'image';
    readonly image: string;
} | {
    readonly type: 'scratch';
};
/**
 * The index of the stage with a name (in any case) or number. Of stages that share a name it is the last one.
 * @param before only stages with a lower index are looked at
 */
export declare function findStage(dockerfile: Stages, name: string, before?: number): number | undefined;
/**
 * The stage to build: the last one, or the one with the name or number given.
 * @throws AppError DOCKERFILE when there is none, with the names of all
 */
export declare function resolveTarget(dockerfile: Dockerfile, target?: string): number;
/** What a stage's FROM names, `image` being expanded: an earlier stage by its name, scratch, or an image. */
export declare function resolveBase(dockerfile: Stages, stage: number, image: string): StageSource;
/**
 * What `from` in an instruction of a stage names: an earlier stage by name or number, scratch, or an image.
 * @param where the instruction, for errors
 * @throws AppError DOCKERFILE for the stage itself, a later one, and a number that no stage has
 */
export declare function resolveFrom(dockerfile: Dockerfile, stage: number, from: string, where: Where): StageSource;
/**
 * The stages that a target needs, itself included, in order.
 * @param images the expanded image of every stage's FROM, by stage index
 * @throws AppError DOCKERFILE for a stage that takes files from itself or a later one
 */
export declare function reachableStages(dockerfile: Dockerfile, target: number, images: readonly string[]): number[];
export {};
