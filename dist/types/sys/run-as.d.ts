import type { InitFailure } from './run-types.ts';
import type { RunResult } from './types.ts';
/** A command in our own namespaces and root. */
export interface UserCommand {
    readonly argv: readonly string[];
    /** The whole environment. */
    readonly env: Readonly<Record<string, string>>;
    readonly cwd: string;
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
}
export interface RunAsOptions {
    /** Where its output goes; left out, it has our own terminal and our standard input. */
    readonly onOutput?: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
    readonly signal?: AbortSignal;
}
/** How a command ended: as RunResult says, or it was never started. */
export type RunAsResult = RunResult & {
    readonly failure?: InitFailure;
};
/**
 * Runs a command as a user, with all of the user's groups. Processes that it leaves go on; when they still hold its output,
 * that goes to our standard output and error from then on, so that they do not fail when we are gone.
 * @throws the reason of the signal when it is aborted; the command and all of its process group are ended first
 */
export declare function runAs(command: UserCommand, { onOutput, signal }: RunAsOptions): Promise<RunAsResult>;
