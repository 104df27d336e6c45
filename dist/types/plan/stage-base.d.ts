import type { SourceTree } from '../context/types.ts';
import type { ContainerConfig, Platform } from '../oci/types.ts';
import { type FoundContext } from './named-context.ts';
import type { StageDeps } from './stage-deps.ts';
import type { PlannedStage } from './types.ts';
/** What a stage starts from. */
export interface StageBase {
    readonly source: PlannedStage['base'];
    readonly platform: Platform;
    readonly config: ContainerConfig;
    readonly key: PlannedStage['baseKey'];
    readonly author?: string;
    /** Files of a named context that the base consists of; they become the stage's first layer. */
    readonly files?: SourceTree;
    /** ARGs that the base is a stage with; they are inherited (Docker's manual, "Build variables", scoping). */
    readonly args?: ReadonlyMap<string, string>;
}
/**
 * What FROM names: an image, an earlier stage, nothing, or a named context.
 * @param replaced the named context that has the stage's own name, and so stands for the whole stage
 * @throws AppError DOCKERFILE for a name that is empty or cannot be a base; what `sources` throws, with the place
 */
export declare function stageBase(deps: StageDeps, replaced: FoundContext | undefined): Promise<StageBase>;
