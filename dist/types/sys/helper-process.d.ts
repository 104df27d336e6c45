import { type ChildProcess } from 'node:child_process';
import type { HelperPlace } from './run-types.ts';
import type { RunResult, RunSpec } from './types.ts';
/** A process of ours that starts the commands of RUNs; it lives until it is closed, and no longer than we do. */
export interface HelperProcess {
    /**
     * Runs a command.
     * @throws AppError BUILD_FAILED when it cannot be started, PERMISSION when it cannot be isolated; the reason of the signal
     * when it is aborted
     */
    run(spec: RunSpec): Promise<RunResult>;
    /** Whether it can run another command. */
    usable(): boolean;
    /** Ends it and all that it started, and waits for that; may be called twice. */
    close(): Promise<void>;
}
/**
 * @param place in which surroundings its commands start
 * @param start starts it; for whom the kernel needs to be told something first
 */
export declare function startHelper(place: HelperPlace, start?: (spawnIt: () => ChildProcess) => ChildProcess): HelperProcess;
