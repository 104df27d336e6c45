import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import { contextName } from '../../plan/named-context.ts';
import { contextOf } from '../build-options.ts';
import { type BuildForm, type BuildSource, buildOfImage } from '../build-source.ts';
import type { ReadConfig } from '../read-config.ts';
import { readDockerfile } from '../read-dockerfile.ts';
import type { ComposeRequest } from './load-service.ts';
import { type ComposeBuild, composeService } from './service.ts';
import { ungrantedOfService, workspaceVolume } from './ungranted-service.ts';

/**
 * The build of a configuration that names a Compose service.
 * @throws AppError DEVCONTAINER when files or the service are missing or wrong
 */
export function composeForm(read: ReadConfig, env: Environment, emit: Emit): BuildForm {
  const { config, document } = read;
  if (config.service === undefined) {
    throw new AppError('DEVCONTAINER', 'dockerComposeFile needs a service', {
      where: document.whereOfKey(['dockerComposeFile']),
      hint: 'add "service" with the name of the service that is the dev container',
    });
  }
  const service = composeService({
    ...composeFiles(read, env),
    roots: read.roots,
    service: config.service,
    env,
    where: document.whereOf(['dockerComposeFile']),
    serviceWhere: document.whereOf(['service']),
  });
  if (service.unset.length > 0) {
    const text = `variables of the Compose files are not set, and count as empty: ${service.unset.join(', ')}`;
    emit({ type: 'warning', code: 'DEVCONTAINER', text });
  }
  if (service.oddBuildKeys.length > 0) {
    const keys = service.oddBuildKeys.map((key) => `build.${key}`).join(', ');
    const text = `${keys} of the service ${config.service} have no effect here`;
    emit({ type: 'warning', code: 'DEVCONTAINER', text });
  }
  const { build, text } = service.build
    ? fromDockerfile(service.build, read)
    : buildOfImage(read, service.image!);
  return {
    build: { ...build, ...(service.platform === undefined ? {} : { platform: service.platform }) },
    text,
    below: {
      env: service.environment,
      ...(service.user ? { user: service.user } : {}),
    },
    ungranted: ungrantedOfService(service, config.service, read),
    ...workspaceVolume(service, read.folder),
  };
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

function fromDockerfile(
  { context, dockerfile, dockerfileWhere, dockerfileInline, target, args, contexts, labels }: ComposeBuild,
  { file, roots }: ReadConfig,
): BuildSource {
  const path = resolve(context, dockerfile);
  const text =
    dockerfileInline ?? readDockerfile(path, { roots, property: 'build.dockerfile', where: dockerfileWhere });
  return {
    text,
    build: {
      context,
      dockerfile: dockerfileInline === undefined ? path : file,
      ...(dockerfileInline === undefined ? {} : { dockerfileText: dockerfileInline }),
      ...(target === undefined ? {} : { target }),
      buildArgs: new Map(Object.entries(args)),
      contexts: new Map(
        Object.entries(contexts).map(([name, source]) => [
          contextName(name) ?? name,
          contextOf(source, context),
        ]),
      ),
      labels: new Map(Object.entries(labels)),
    },
  };
}
