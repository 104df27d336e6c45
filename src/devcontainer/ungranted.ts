import { relative } from 'node:path';
import type { Emit } from '../core/events.ts';
import { mountTarget } from './merge.ts';
import type { DevcontainerConfig, OriginEntry, Ungranted, VariableScope } from './types.ts';

const RIGHTS = 'rights come from whoever starts the container';
const MOUNTS = 'a running container cannot be given mounts';

/** What entries of metadata ask for and a container that runs already cannot be given. */
export function ungrantedOfMetadata(metadata: readonly OriginEntry[]): readonly Ungranted[] {
  return metadata.flatMap(({ origin, entry }) => {
    const found: Ungranted[] = [];
    const add = (property: string, why: string): void => void found.push({ property, origin, why });
    if (entry.privileged) add('privileged', RIGHTS);
    if (entry.capAdd?.length) add(`capAdd: ${entry.capAdd.join(', ')}`, RIGHTS);
    if (entry.securityOpt?.length) add(`securityOpt: ${entry.securityOpt.join(', ')}`, RIGHTS);
    if (entry.init) add('init', 'the first process is the init command of envbuilder');
    for (const mount of entry.mounts ?? []) add(`mounts: ${mountTarget(mount) ?? String(mount)}`, MOUNTS);
    return found;
  });
}

/** What only the file itself can ask for. */
export function ungrantedOfConfig(
  config: DevcontainerConfig,
  origin: string,
  scope: VariableScope,
): readonly Ungranted[] {
  const found: Ungranted[] = [];
  const add = (property: string, why: string): void => void found.push({ property, origin, why });
  if (config.initializeCommand !== undefined)
    add('initializeCommand', 'it is for the machine that the container runs on');
  if (config.appPort !== undefined) add('appPort', 'ports are published by whoever starts the container');
  const { workspaceFolder } = config;
  if (workspaceFolder !== undefined && workspaceFolder.replace(/\/+$/, '') !== scope.containerWorkspaceFolder)
    add('workspaceFolder', `the workspace is in ${scope.containerWorkspaceFolder}`);
  return found;
}

/** Warns about each of them once. */
export function warnUngranted(ungranted: readonly Ungranted[], workspace: string, emit: Emit): void {
  const seen = new Set<string>();
  for (const { property, origin, why } of ungranted) {
    const from = origin.startsWith(`${workspace}/`) ? relative(workspace, origin) : origin;
    const text = `${property} (${from}) has no effect here: ${why}`;
    if (!seen.has(text)) emit({ type: 'warning', code: 'DEVCONTAINER', text });
    seen.add(text);
  }
}
