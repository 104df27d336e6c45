import { existsSync } from 'node:fs';
import { basename, dirname, join, normalize, relative } from 'node:path';
import { mountField, mountTarget } from './merge.ts';
import { substitute, type Variables } from './substitute.ts';
import type { DevcontainerConfig, VariableScope } from './types.ts';

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

/** Where our own files and the kernel's are: nothing is put there. */
const TAKEN = /^\/(?:\.envbuilder|proc|sys|dev)(?:\/|$)/;

/**
 * Where the workspace is in a start: where it lies, a folder in it that the file chooses, or another path, to which a link
 * has to lead.
 * @param fixed whether the file may not choose another path
 */
export function startPlace(
  { workspaceFolder }: DevcontainerConfig,
  local: Variables & { readonly localWorkspaceFolder: string },
  fixed: boolean,
): { readonly workspaceFolder: string } {
  const workspace = local.localWorkspaceFolder;
  if (workspaceFolder === undefined) return { workspaceFolder: workspace };
  const folder = normalize(substitute(workspaceFolder, local)).replace(/(?<=.)\/+$/, '');
  const isThere = isIn(workspace, folder) || (!fixed && canLead(folder, workspace));
  return { workspaceFolder: isThere ? folder : workspace };
}

/** A directory of the workspace, or around it, and where it would be mounted. */
export interface WorkspaceMount {
  readonly source: string;
  readonly target: string;
  /** Where the workspace is, as the source has it. */
  readonly workspace: string;
}

/** What workspaceMount says, where it says enough. */
function workspaceMountOf(
  { workspaceMount }: DevcontainerConfig,
  workspace: string,
): WorkspaceMount | undefined {
  if (!workspaceMount) return undefined;
  const target = mountTarget(workspaceMount);
  const source = mountField(workspaceMount, ['source', 'src']);
  return source === undefined || target === undefined ? undefined : { source, target, workspace };
}

/**
 * The path that has to lead to the workspace so that its folder in the container is there: where the mount of the
 * reference would bring it, else that folder itself. Undefined when it lies in the workspace anyway.
 * @param form whose Compose service may mount it
 */
export function workspaceLink(
  { config, scope }: { readonly config: DevcontainerConfig; readonly scope: VariableScope },
  { workspaceMount }: { readonly workspaceMount?: WorkspaceMount },
): string | undefined {
  const { localWorkspaceFolder: workspace = '', containerWorkspaceFolder: folder = workspace } = scope;
  const mount = workspaceMount ?? workspaceMountOf(config, workspace);
  if (isIn(workspace, folder)) return undefined;
  if (mount && isIn(mount.source, mount.workspace)) {
    const place = join(mount.target, relative(mount.source, mount.workspace));
    if (isIn(place, folder) && canLead(place, workspace)) return place;
  }
  return folder;
}

function canLead(path: string, workspace: string): boolean {
  return path.startsWith('/') && !isIn(path, workspace) && !TAKEN.test(path);
}

/** Whether a path is a directory, or lies in it. */
function isIn(directory: string, path: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
