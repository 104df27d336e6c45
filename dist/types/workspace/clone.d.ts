import { type Git } from '../context/git/git.ts';
import type { CloneRequest, WorkspaceDeps } from './types.ts';
/**
 * Clones a repository into a directory that does not exist yet, submodules included, and checks out what the URL asks for.
 * Nothing secret is in the result.
 * @param lock a descriptor that is held open until the last process of git has ended
 * @returns the commit that is checked out; undefined for a repository without commits
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export declare function cloneInto(directory: string, request: CloneRequest, deps: WorkspaceDeps, lock?: number): Promise<string | undefined>;
/** What HEAD of a clone is; undefined when there is no commit or no readable repository. */
export declare function headOf(git: Pick<Git, 'run'>, directory: string, signal: AbortSignal): Promise<string | undefined>;
