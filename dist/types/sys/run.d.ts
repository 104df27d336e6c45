import type { RunResult, RunSpec, Syscalls } from './types.ts';
/** Runs commands as RunSpecs describe them. */
export interface Runner {
    /** Gets ready, so that a first command that comes soon need not wait; may be called often. */
    prepare(): void;
    run(spec: RunSpec): Promise<RunResult>;
    /** Waits until nothing of it is left; a command that runs meanwhile is ended. */
    close(): Promise<void>;
}
/**
 * Runs commands in namespaces of their own, as Docker runs them in a container on the host's network: the command is
 * process 1, sees its root, /proc, /dev and /sys, has Docker's default capabilities, and nothing of our environment. When
 * it ends, or the signal aborts, or we are killed, every process that it left is gone.
 * @returns a runner that throws AppError BUILD_FAILED when the command cannot be started, the signal's reason when aborted
 */
export declare function createRunner(syscalls: Pick<Syscalls, 'unshare' | 'setNamespace'>): Runner;
