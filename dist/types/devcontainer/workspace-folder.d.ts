import type { DevcontainerConfig } from './types.ts';
/** Where the workspace is in the container, and the mount that would bring it there. */
export interface WorkspacePlace {
    readonly workspaceFolder?: string;
    readonly workspaceMount?: string;
}
/**
 * Where the reference implementation puts a workspace: the git repository around it below `/workspaces`, unless the file
 * says otherwise; for Compose what the file says, else the root directory.
 */
export declare function referencePlace(workspace: string, config: DevcontainerConfig): WorkspacePlace;
