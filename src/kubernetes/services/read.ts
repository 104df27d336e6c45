import { definitionRoots } from '../../context/repository.ts';
import type { Emit } from '../../core/events.ts';
import { readProject } from '../../devcontainer/compose/project.ts';
import { configFileOf } from '../../devcontainer/load.ts';
import { readConfig } from '../../devcontainer/read-config.ts';
import type { DefinitionRequest } from '../../devcontainer/types.ts';
import type { ServiceSettings } from '../types.ts';

/**
 * The services that the devcontainer.json of a checkout wants beside the dev container.
 * @throws AppError DEVCONTAINER when there is none, or it names no Compose project, or that is wrong; OUTSIDE
 */
export function readServices(
  request: DefinitionRequest,
  given: Pick<ServiceSettings, 'checkout' | 'images' | 'volumeSize'>,
  emit: Emit,
): ServiceSettings {
  const read = readConfig(configFileOf(request, { emit }), request, emit);
  const { project, own } = readProject(read, request.env, emit);
  const { workspaceFolder: folder, env } = request;
  const [repository = folder] = definitionRoots(folder);
  return { ...given, project, own, folder, repository, roots: read.roots, env };
}
