import type { Stage } from '../dockerfile/types.ts';
import type { PlanInput } from './inputs.ts';
import type { PlannedStage } from './types.ts';
/** ARGs before the first FROM, with build arguments and platforms applied. */
export interface GlobalScope {
    lookup(name: string): string | undefined;
    /** Names of build arguments that some ARG declared; filled as stages are planned. */
    readonly used: Set<string>;
}
/** What the planning of one stage works with. */
export interface StageDeps {
    readonly input: PlanInput;
    readonly scope: GlobalScope;
    readonly stage: Stage;
    /** Plans another stage first. */
    readonly need: (stage: number) => Promise<PlannedStage>;
}
