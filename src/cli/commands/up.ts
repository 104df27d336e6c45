import { AppError } from '../../core/error.ts';
import { given } from '../../core/given.ts';
import {
  type DockerUpRequest,
  loadUp,
  readConfiguration,
  type UpRequest,
  type UserEnvProbe,
} from '../../index.ts';
import { type CommandBody, finalError } from '../command.ts';
import type { Parsed } from '../options/parse.ts';
import type { Options } from '../options/table.ts';
import { containerDefinition, containerFolder, openContainers } from '../requests/container-request.ts';
import { openDocker, refuseLabels } from '../requests/docker-request.ts';
import { dotfilesOf, repositoryOf } from '../requests/dotfiles.ts';
import { hookSecrets } from '../requests/hook-secrets.ts';
import { userEnvironment } from '../requests/user-environment.ts';
import type { CommandContext } from '../run-context.ts';
import { prepareDeps } from './prepare-inside.ts';

/** `envbuilder up`: has the dev container of a folder run, and prints the result as `devcontainer up` does. */
export const upCommand: CommandBody = async (parsed, context, emit) => {
  const { stdout, signal, redactor } = context;
  let containerId: string | undefined;
  const print = (result: object): void => {
    stdout.write(`${JSON.stringify(redactor.value(result))}\n`);
  };
  try {
    const { options } = parsed;
    const { up, upInDocker } = await loadUp();
    const request = await upRequest(parsed, context);
    const store = await openContainers(options, context);
    const { workspaceFolder } = request.definition;
    const deps = {
      ...prepareDeps(parsed, context, workspaceFolder, emit),
      ...{ store, emit, signal },
      onContainer: (id: string) => {
        containerId = id;
      },
    };
    const result = options.docker
      ? await upInDocker(
          { ...request, ...dockerSettings(options) },
          { ...deps, docker: await openDocker(parsed, context), directory: store.handover },
        )
      : await up(request, deps);
    print({ ...result, ...(await configurations(parsed, request, signal)) });
  } catch (thrown) {
    const { message, hint } = finalError(thrown, signal);
    print({
      outcome: 'error',
      message: hint === undefined ? message : `${message}: ${hint}`,
      description: 'An error occurred setting up the container.',
      ...(containerId === undefined ? {} : { containerId }),
    });
    throw thrown;
  }
};

async function upRequest(parsed: Parsed, context: CommandContext): Promise<UpRequest> {
  const { options, operands } = parsed;
  if (operands.length > 1) throw new AppError('USAGE', `unexpected argument ${operands[1]}`);
  if (!options.docker) refuseLabels(parsed);
  const { checkName, mountOf } = await loadUp();
  const folder = containerFolder(parsed, operands[0], context.cwd);
  const name = options['container-name'];
  const dotfiles = dotfilesOf(options);
  return {
    definition: containerDefinition(parsed, folder, context),
    removeExisting: options['remove-existing-container'],
    expectExisting: options['expect-existing-container'],
    skipPostCreate: options['skip-post-create'],
    skipPostAttach: options['skip-post-attach'],
    skipNonBlocking: options['skip-non-blocking-commands'],
    prebuild: options.prebuild,
    remoteEnv: Object.fromEntries(options['remote-env']),
    env: userEnvironment(context.env),
    mounts: options.mount.map((text) => {
      const mount = mountOf(text, '--mount');
      if (mount) return mount;
      throw new AppError('USAGE', `--mount is "${text}", which has no absolute target`, {
        hint: 'write type=bind,source=/here,target=/there',
      });
    }),
    ...given<Partial<UpRequest>>({
      name: name === undefined ? undefined : checkName(name),
      defaultProbe: options['default-user-env-probe'] as UserEnvProbe | undefined,
      hookSecrets: hookSecrets(parsed, context),
      dotfiles: dotfiles && { ...dotfiles, url: repositoryOf(options['dotfiles-url'] ?? '') },
    }),
  };
}

function dockerSettings(options: Options): Omit<DockerUpRequest, keyof UpRequest> {
  return {
    idLabels: options['id-label'],
    gpus: options['gpu-availability'] as DockerUpRequest['gpus'],
    updateUserIds: options['update-remote-user-uid-default'] as DockerUpRequest['updateUserIds'],
    dataFolder: options['container-data-folder'],
  };
}

async function configurations(
  { options }: Parsed,
  { definition }: UpRequest,
  signal: AbortSignal,
): Promise<object> {
  const [plain, merged] = [options['include-configuration'], options['include-merged-configuration']];
  if (!plain && !merged) return {};
  const read = await readConfiguration({ ...definition, merged }, { signal });
  return {
    ...(plain ? { configuration: read.configuration } : {}),
    ...(merged ? { mergedConfiguration: read.mergedConfiguration } : {}),
  };
}
