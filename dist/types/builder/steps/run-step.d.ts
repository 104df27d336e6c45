import type { Emit } from '../../core/events.ts';
import type { RunOperation, Step } from '../../plan/types.ts';
import type { RootfsStep } from '../../rootfs/types.ts';
import type { RunMount } from '../../sys/types.ts';
import type { MountProvider } from './mounts.ts';
/** BuildKit's name for the host that a RUN sees. */
export declare const HOSTNAME = "buildkitsandbox";
export interface RunStepDeps {
    readonly mounts: MountProvider;
    /** Files made once for all RUNs: resolv.conf and hosts, by path inside the image. */
    readonly networkFiles: readonly RunMount[];
    readonly proxyEnv: Readonly<Record<string, string>>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
}
/**
 * Runs a RUN in an open step.
 * @throws AppError BUILD_FAILED with the exit code or signal, at the instruction
 */
export declare function executeRun(deps: RunStepDeps, step: Step, operation: RunOperation, rootfs: RootfsStep): Promise<void>;
