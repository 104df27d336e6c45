import type { SourceRange } from '../core/error.ts';
import type { PlannedRule } from '../dockerfile/lint/planned.ts';
import type { Stage } from '../dockerfile/types.ts';
import type { PlanInput } from './inputs.ts';
import type { PlannedStage } from './types.ts';

/** ARGs before the first FROM, with build arguments and platforms applied. */
export interface GlobalScope {
  lookup(name: string): string | undefined;
  /** Names of build arguments that some ARG declared; filled as stages are planned. */
  readonly used: Set<string>;
  /** ARGs before the first FROM, with their values. */
  readonly declared: ReadonlyMap<string, string>;
  /** Takes what a check found while a stage is planned; those that are turned off are dropped. */
  readonly report: (rule: PlannedRule, finding: PlannedFinding) => void;
}

/** What a check found while planning. */
export interface PlannedFinding {
  readonly text: string;
  /** Where it is shown. */
  readonly range: SourceRange;
  /** The instruction that it is about, if that is another place. */
  readonly instruction?: SourceRange;
  readonly stage?: number;
}

/** What the planning of one stage works with. */
export interface StageDeps {
  readonly input: PlanInput;
  readonly scope: GlobalScope;
  readonly stage: Stage;
  /** Plans another stage first. */
  readonly need: (stage: number) => Promise<PlannedStage>;
}
