import type { Syscalls } from '../sys/types.ts';
/**
 * Where a clone is made before it becomes the workspace: a directory inside of it, so that moving is renaming. While it is
 * there, the workspace is not yet a clone.
 */
export interface Staging {
    /** Where to clone to; its parent exists. */
    readonly tree: string;
    /** The descriptor whose lock keeps others out, for as long as any process holds it. */
    readonly lock: number;
    /** Whether an earlier start finished the clone for `key`, and was ended while it moved it. */
    isComplete(key: string): boolean;
    markComplete(key: string): void;
    /** Removes what is in it. */
    clear(): void;
    /** Removes it, and lets others have their turn. */
    close(): void;
}
/** The name of the directory inside a workspace. */
export declare const STAGING_NAME = ".envbuilder-clone";
/**
 * Opens the staging directory of a workspace, for one process at a time.
 * A process of git that a killed start left gets some time to notice that nobody listens any more.
 * @throws AppError WORKSPACE when another process is cloning into the same folder; the reason of the signal
 */
export declare function openStaging(folder: string, sys: Pick<Syscalls, 'tryLock'>, signal: AbortSignal): Promise<Staging>;
