import { AppError } from '../../core/error.ts';
import { type DockerContainer, type DockerEngine, loadUp } from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { CommandContext } from '../run-context.ts';
import { containerDefinition, containerFolder } from './container-request.ts';
import { userEnvironment } from './user-environment.ts';

/** The engine that the docker command of the user talks to. */
export async function openDocker(
  { options }: Parsed,
  { env }: Pick<CommandContext, 'env'>,
): Promise<DockerEngine> {
  const { createDockerEngine } = await loadUp();
  return createDockerEngine(options['docker-path'], userEnvironment(env));
}

/** @throws AppError USAGE for labels that name no container of ours */
export function refuseLabels({ options }: Parsed): void {
  if (options['id-label'].length === 0) return;
  throw new AppError('USAGE', '--id-label is for containers that an engine knows by labels', {
    hint: 'add --docker, or give the container a name with --name, and find it by that',
  });
}

/**
 * The container of an engine that options name: by id, by name or by labels, else by the folder and its devcontainer.json.
 * @throws AppError START_FAILED where there is none
 */
export async function namedInDocker(
  parsed: Parsed,
  docker: DockerEngine,
  operand: string | undefined,
  context: Pick<CommandContext, 'env' | 'cwd' | 'signal'>,
): Promise<DockerContainer> {
  const { containerNamed, findContainers, splitLabel, configFileOf, FOLDER_LABEL, FILE_LABEL } =
    await loadUp();
  const { 'container-id': id, 'container-name': name, 'id-label': labels } = parsed.options;
  if (id !== undefined || name !== undefined) return containerNamed(docker, (id ?? name)!);
  for (const label of labels) splitLabel(label);
  const folder = labels.length > 0 ? undefined : containerFolder(parsed, operand, context.cwd);
  const wanted = folder === undefined ? labels : [`${FOLDER_LABEL}=${folder}`];
  const found = await findContainers(docker, wanted, context.signal);
  if (found.length === 1 || (found.length > 0 && folder === undefined)) return found[0]!;
  if (found.length > 0) {
    const file = configFileOf(containerDefinition(parsed, folder!, context), { emit: () => {} });
    const one = found.find((each) => each.labels[FILE_LABEL] === file);
    if (one) return one;
  }
  throw new AppError(
    'START_FAILED',
    `Docker has no dev container ${folder === undefined ? `with ${labels.join(', ')}` : `of ${folder}`}`,
    {
      hint: 'envbuilder up --docker makes one; envbuilder list --docker shows all',
    },
  );
}

/** The devcontainer.json that a container was made from, as its label or the options say. */
export async function fileOfContainer(
  parsed: Parsed,
  { labels }: DockerContainer,
  context: Pick<CommandContext, 'env' | 'cwd'>,
): Promise<{ readonly folder: string; readonly configFile: string }> {
  const { configFileOf, FOLDER_LABEL, FILE_LABEL } = await loadUp();
  const folder = labels[FOLDER_LABEL] ?? containerFolder(parsed, undefined, context.cwd);
  const named = (['config', 'devcontainer-json-path'] as const).some((name) => parsed.given.has(name));
  const configFile = named ? undefined : labels[FILE_LABEL];
  return {
    folder,
    configFile: configFile ?? configFileOf(containerDefinition(parsed, folder, context), { emit: () => {} }),
  };
}
