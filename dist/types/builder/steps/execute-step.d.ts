import type { CommitOptions } from '../../rootfs/types.ts';
import type { ExecuteStep } from '../stage-runner.ts';
import { type CopyStepDeps } from './copy-step.ts';
import { type RunStepDeps } from './run-step.ts';
export interface ExecuteDeps {
    readonly run: RunStepDeps;
    readonly copy: CopyStepDeps;
    readonly commit: CommitOptions;
}
/** Carries out one operation on top of a state and snapshots it; a failed step leaves nothing. */
export declare function createExecutor(deps: ExecuteDeps): ExecuteStep;
