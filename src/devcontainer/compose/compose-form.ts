import { resolve } from 'node:path';
import type { Environment } from '../../core/environment.ts';
import type { Emit } from '../../core/events.ts';
import { contextName } from '../../plan/named-context.ts';
import { contextOf } from '../build-options.ts';
import { type BuildForm, type BuildSource, buildOfImage } from '../build-source.ts';
import type { ReadConfig } from '../read-config.ts';
import { readDockerfile } from '../read-dockerfile.ts';
import { composeRequest, warnOfUnset } from './project.ts';
import { type ComposeBuild, type ComposeService, composeService } from './service.ts';
import { ungrantedOfService, workspaceVolume } from './ungranted-service.ts';

/**
 * The build of a configuration that names a Compose service.
 * @throws AppError DEVCONTAINER when files or the service are missing or wrong
 */
export function composeForm(read: ReadConfig, env: Environment, emit: Emit): BuildForm {
  const request = composeRequest(read, env);
  const service = composeService(request);
  warnOfUnset(service.unset, emit);
  if (service.oddBuildKeys.length > 0) {
    const keys = service.oddBuildKeys.map((key) => `build.${key}`).join(', ');
    const text = `${keys} of the service ${request.service} have no effect here`;
    emit({ type: 'warning', code: 'DEVCONTAINER', text });
  }
  return {
    ...buildOfService(service, read),
    below: {
      env: service.environment,
      ...(service.user ? { user: service.user } : {}),
    },
    ungranted: ungrantedOfService(service, request.service, read),
    ...workspaceVolume(service, read.folder),
  };
}

/** What a service is made from: its own build, or its image with nothing added. @throws AppError DEVCONTAINER, OUTSIDE */
export function buildOfService(service: ComposeService, read: ReadConfig): BuildSource {
  const { build, text } = service.build
    ? fromDockerfile(service.build, read)
    : buildOfImage(read, service.image!);
  return {
    text,
    build: { ...build, ...(service.platform === undefined ? {} : { platform: service.platform }) },
  };
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
