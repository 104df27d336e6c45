import type { GitRunner } from './runner.ts';
export interface SubmoduleOptions {
    /** How deep submodules of submodules are followed. */
    readonly levels: number;
    /** Whether one that cannot be had is an error; otherwise it is a warning. */
    readonly required: boolean;
    readonly depth?: number;
}
/**
 * Checks out the submodules of a clone that are marked active, each on its own, so that one that cannot be had does not
 * stop the others.
 * @throws AppError when a required one cannot be had
 */
export declare function updateSubmodules(runner: GitRunner, directory: string, options: SubmoduleOptions): Promise<void>;
