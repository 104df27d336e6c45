import type { MountSpec, RunInstruction } from '../dockerfile/types.ts';
import { type StageState } from './stage-state.ts';
import type { PlannedMount, RunOperation } from './types.ts';
/** Resolves what a mount reads from; injected, since stages and contexts are the planner's. */
export type ResolveMountSource = (mount: MountSpec, sourcePath: string) => Promise<Pick<PlannedMount, 'source' | 'treeHash' | 'seed'>>;
/** A RUN with everything resolved that its result depends on. */
export declare function planRun(state: StageState, instruction: RunInstruction, resolveSource: ResolveMountSource): Promise<RunOperation>;
