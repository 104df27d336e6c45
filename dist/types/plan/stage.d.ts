import type { StageDeps } from './stage-deps.ts';
import type { PlannedStage } from './types.ts';
/** Plans one stage: its base, then instruction by instruction. */
export declare function planStage(deps: StageDeps): Promise<PlannedStage>;
