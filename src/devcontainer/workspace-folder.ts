import { existsSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
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
export function referencePlace(workspace: string, config: DevcontainerConfig): WorkspacePlace {
  if (config.dockerComposeFile !== undefined) return { workspaceFolder: config.workspaceFolder || '/' };
  const root = repositoryRoot(workspace);
  const target = join('/workspaces', basename(root));
  const folder = config.workspaceFolder || join(target, relative(root, workspace));
  if ('workspaceMount' in config) {
    const { workspaceMount } = config;
    return { workspaceFolder: folder, ...(workspaceMount === undefined ? {} : { workspaceMount }) };
  }
  const quote = (path: string, key: string): string => {
    const mark = path.includes(',') ? '"' : '';
    return `${mark}${key}=${path}${mark}`;
  };
  return {
    workspaceFolder: folder,
    workspaceMount: `type=bind,${quote(root, 'source')},${quote(target, 'target')}`,
  };
}

/** The directory around a workspace that holds its .git; the workspace itself when there is none. */
function repositoryRoot(workspace: string): string {
  for (let at = workspace; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return at;
    if (at === dirname(at)) return workspace;
  }
}
