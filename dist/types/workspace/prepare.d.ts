import type { CloneRequest, Workspace, WorkspaceDeps, WorkspaceRequest } from './types.ts';
/**
 * Makes the workspace folder, and clones the repository into it unless there is a clone already, which is left as it is.
 * Files that the folder has stay as they are, beside the clone. A clone that was interrupted at any moment leaves nothing
 * that the next call takes for a clone.
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export declare function prepareWorkspace({ folder, clone }: WorkspaceRequest, deps: WorkspaceDeps): Promise<Workspace>;
/** A clone that nobody works in. */
export interface BuildClone {
    readonly folder: string;
    close(): void;
}
/**
 * Makes a fresh clone of a single commit, for a build that must not see what the user has in the workspace.
 * @param parent where a directory for it is made; what an earlier call left there is removed
 * @throws AppError WORKSPACE, AUTH, USAGE, DISK_FULL
 */
export declare function cloneForBuild(clone: CloneRequest, parent: string, deps: WorkspaceDeps): Promise<BuildClone>;
