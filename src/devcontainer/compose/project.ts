import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import type { ReadConfig } from '../read-config.ts';
import type { ComposeRequest } from './load-service.ts';
import { type ComposeProject, composeProject } from './services.ts';

/**
 * What a devcontainer.json asks of its Compose project: the files, and the service that is the dev container.
 * @throws AppError DEVCONTAINER when it names no service
 */
export function composeRequest(read: ReadConfig, env: Environment): ComposeRequest {
  const { config, document, roots } = read;
  if (config.service === undefined) {
    throw new AppError('DEVCONTAINER', 'dockerComposeFile needs a service', {
      where: document.whereOfKey(['dockerComposeFile']),
      hint: 'add "service" with the name of the service that is the dev container',
    });
  }
  return {
    ...composeFiles(read, env),
    roots,
    service: config.service,
    env,
    where: document.whereOf(['dockerComposeFile']),
    serviceWhere: document.whereOf(['service']),
  };
}

/** The project of a devcontainer.json, with the services that the reference implementation would start. */
export interface DevcontainerProject {
  readonly project: ComposeProject;
  /** The name of the service that is the dev container. */
  readonly own: string;
}

/**
 * Reads the whole Compose project that a devcontainer.json names, with the services that runServices chooses.
 * @throws AppError DEVCONTAINER when it names none, or files or services are missing or wrong; OUTSIDE
 */
export function readProject(read: ReadConfig, env: Environment, emit: Emit): DevcontainerProject {
  const { config, file, document } = read;
  if (config.dockerComposeFile === undefined) {
    throw new AppError('DEVCONTAINER', `${file} names no Compose project`, {
      hint: 'services beside the dev container are those of its dockerComposeFile',
    });
  }
  const { runServices } = config;
  const request = composeRequest(read, env);
  const serviceWhere = runServices?.length ? document.whereOf(['runServices']) : request.serviceWhere;
  const project = composeProject({
    ...request,
    serviceWhere,
    ...(runServices === undefined ? {} : { runServices }),
  });
  warnOfUnset(project.unset, emit);
  return { project, own: request.service };
}

/** Says which variables of the files stand for nothing. */
export function warnOfUnset(unset: readonly string[], emit: Emit): void {
  if (unset.length === 0) return;
  const text = `variables of the Compose files are not set, and count as empty: ${unset.join(', ')}`;
  emit({ type: 'warning', code: 'DEVCONTAINER', text });
}

/** The files that are named; with an empty list those that Compose would take in the workspace. */
function composeFiles(
  { config, base, folder: workspace }: ReadConfig,
  env: Environment,
): Pick<ComposeRequest, 'files' | 'by'> {
  const named = [config.dockerComposeFile ?? []].flat();
  if (named.length > 0) return { files: named.map((path) => resolve(base, path)), by: 'definition' };
  if (env.COMPOSE_FILE) {
    return { files: env.COMPOSE_FILE.split(':').map((path) => resolve(workspace, path)), by: 'operator' };
  }
  const override = join(workspace, 'docker-compose.override.yml');
  const files = [join(workspace, 'docker-compose.yml'), ...(existsSync(override) ? [override] : [])];
  return { files, by: 'definition' };
}
