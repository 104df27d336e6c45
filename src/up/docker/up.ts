import { AppError } from '../../core/error.ts';
import { configFileOf } from '../../devcontainer/load.ts';
import type { Account } from '../../start/account.ts';
import type { Variables } from '../../start/environment.ts';
import { type DescribedContainer, describeContainer, environmentOf } from '../describe.ts';
import { containerEnvironment } from '../environment.ts';
import { runDueHooks, runInitialize } from '../lifecycle.ts';
import type { WantedMount } from '../mounts.ts';
import { nameOf } from '../store.ts';
import type { UpResult } from '../types.ts';
import type { UpDeps, UpRequest } from '../up.ts';
import { accountInDocker } from './account.ts';
import {
  containerNamed,
  type DockerContainer,
  FILE_LABEL,
  FOLDER_LABEL,
  findContainers,
  type Labels,
  OWN_LABEL,
} from './containers.ts';
import type { DockerEngine } from './engine.ts';
import { loadImage, withOwnIds } from './image.ts';
import { readMarkers } from './markers.ts';
import { quoted, runArguments } from './run-arguments.ts';
import { createRunInDocker } from './run-inside.ts';

/** What the engine decides, besides what every `up` is asked for. */
export interface DockerUpRequest extends UpRequest {
  /** The container is known by them instead of by its folder and file. */
  readonly idLabels: readonly string[];
  readonly gpus: 'all' | 'detect' | 'none';
  /** Whether the remoteUser gets the ids of the machine's user; where devcontainer.json does not say for `on` and `off`. */
  readonly updateUserIds: 'never' | 'on' | 'off';
  /** Where it is kept which hooks have run, from the home of the remoteUser. */
  readonly dataFolder: string;
}

export interface DockerUpDeps extends UpDeps {
  readonly docker: DockerEngine;
  /** A directory of ours for an image that is handed over. */
  readonly directory: string;
}

/**
 * Has the dev container of a folder run in an engine, as `up` does it in namespaces: labels, markers of hooks and arguments
 * are those of the reference implementation, so that it and editors take the container for their own.
 * @throws AppError of any code; a container that is there by then stays
 */
export async function upInDocker(request: DockerUpRequest, deps: DockerUpDeps): Promise<UpResult> {
  const { definition, idLabels } = request;
  const { store, docker, emit, signal } = deps;
  const configFile = configFileOf(definition, { emit });
  const folder = definition.workspaceFolder;
  const labels: Labels = Object.fromEntries(
    (idLabels.length > 0 ? idLabels : [`${FOLDER_LABEL}=${folder}`, `${FILE_LABEL}=${configFile}`]).map(
      splitLabel,
    ),
  );
  const known: DockerUpRequest = { ...request, definition: { ...definition, idLabels: labels } };
  const name = nameOf(folder, `${configFile}\0docker`);
  const release = await store.lock(name, signal, () =>
    emit({ type: 'message', level: 'info', text: `waiting for another envbuilder that works on ${name}` }),
  );
  try {
    const there = await existing(labels, known, deps);
    if (request.expectExisting && !there) {
      throw new AppError('START_FAILED', `Docker has no dev container of ${folder}`, {
        hint: 'leave out --expect-existing-container to have it made',
      });
    }
    const first = describeContainer(configFile, there?.config ?? {}, known.definition);
    refuseCompose(first);
    await runInitialize(first, folder, { emit, signal, env: request.env });
    const isNew = request.removeExisting || !there;
    if (isNew && there) await removeFromDocker(docker, there);
    const container = isNew
      ? await create({ name, configFile, labels }, known, deps)
      : await started(there, deps);
    deps.onContainer(container.id);
    const described = describeContainer(configFile, container.config, known.definition);
    try {
      await hooks(container, described, known, deps);
    } catch (error) {
      // Hooks end with the container alone.
      if (signal.aborted && !there?.running)
        await docker.call(['stop', container.id], { doing: 'stop the container' });
      throw error;
    }
    const { workspaceFolder: remoteWorkspaceFolder, devcontainer } = described;
    const { remoteUser } = devcontainer;
    return { outcome: 'success', containerId: container.id, remoteUser, remoteWorkspaceFolder };
  } finally {
    release();
  }
}

/** @throws AppError USAGE */
export function splitLabel(label: string): [string, string] {
  const equals = label.indexOf('=');
  if (equals > 0 && equals < label.length - 1) return [label.slice(0, equals), label.slice(equals + 1)];
  throw new AppError('USAGE', `--id-label is ${JSON.stringify(label)}`, { hint: 'write NAME=value' });
}

/** The engine's own tool for them knows far more of Compose projects than we would hand on. */
function refuseCompose({ config, devcontainer }: DescribedContainer): void {
  const dockerfile = config.dockerFile ?? config.build?.dockerfile;
  if (config.dockerComposeFile === undefined || dockerfile !== undefined) return;
  throw new AppError(
    'USAGE',
    `--docker runs one container, and ${devcontainer.configFile} names a Compose project`,
    {
      hint: 'leave out --docker, or run the project with docker compose and enter it with envbuilder exec --docker --container-id',
    },
  );
}

async function existing(
  labels: Labels,
  { idLabels, definition: { workspaceFolder } }: DockerUpRequest,
  { docker, signal }: DockerUpDeps,
): Promise<DockerContainer | undefined> {
  const wanted = Object.entries(labels).map((label) => label.join('='));
  const [found] = await findContainers(docker, wanted, signal);
  if (found || idLabels.length > 0) return found;
  // Earlier versions of other tools knew a container by its folder alone.
  const ofFolder = await findContainers(docker, [`${FOLDER_LABEL}=${workspaceFolder}`], signal);
  return ofFolder.find((one) => one.labels[FILE_LABEL] === undefined);
}

async function started(
  container: DockerContainer,
  { docker, signal }: DockerUpDeps,
): Promise<DockerContainer> {
  if (container.running) return container;
  await docker.call(['start', container.id], { doing: 'start the container', signal });
  return containerNamed(docker, container.id);
}

async function create(
  {
    name,
    configFile,
    labels,
  }: { readonly name: string; readonly configFile: string; readonly labels: Labels },
  request: DockerUpRequest,
  deps: DockerUpDeps,
): Promise<DockerContainer> {
  const { docker, emit, signal } = deps;
  const loaded = await loadImage(name, deps);
  const described = describeContainer(configFile, loaded.config, request.definition);
  const { updateRemoteUserUID } = described.merged;
  const { updateUserIds } = request;
  const isAsked = updateUserIds !== 'never' && (updateRemoteUserUID ?? updateUserIds === 'on');
  const { remoteUser } = described.devcontainer;
  const ids = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const { image, config } = isAsked ? await withOwnIds(loaded, { remoteUser, ids }, deps) : loaded;
  const { args, env } = runArguments(described, {
    image,
    config,
    labels: { ...labels, [OWN_LABEL]: name },
    name: request.name,
    mounts: request.mounts.map(textOf),
    gpus: await wantsGpus(described, request, deps),
  });
  emit({ type: 'message', level: 'info', text: 'starting the container in Docker' });
  const said = await docker.call(args, { doing: 'start the container', env, signal });
  return containerNamed(docker, said.trim().split('\n').at(-1) ?? '');
}

function textOf({ type, source, target, readonly }: WantedMount): string {
  const fields = [`type=${type}`, ...(source === '' ? [] : [`source=${source}`]), `target=${target}`];
  return [...fields, ...(readonly ? ['readonly'] : [])].map(quoted).join(',');
}

async function wantsGpus(
  { merged: { hostRequirements } }: DescribedContainer,
  { gpus }: DockerUpRequest,
  { docker, emit, signal }: DockerUpDeps,
): Promise<boolean> {
  if (!hostRequirements?.gpu || gpus === 'none') return false;
  if (gpus === 'all') return true;
  const runtimes = await docker.call(['info', '--format', '{{json .Runtimes}}'], {
    doing: 'ask Docker whether it has GPUs',
    signal,
  });
  if (runtimes.includes('nvidia')) return true;
  if (hostRequirements.gpu !== 'optional')
    emit({
      type: 'warning',
      code: 'DEVCONTAINER',
      text: 'hostRequirements.gpu is not met: Docker has no runtime for GPUs',
    });
  return false;
}

/** What every process of a container begins with. */
export function environmentInDocker(
  { config, hostname }: DockerContainer,
  described: DescribedContainer,
): Variables {
  const { devcontainer } = described;
  return containerEnvironment(
    environmentOf(config),
    { devcontainer: { ...devcontainer, containerEnv: {} } },
    hostname,
  );
}

async function hooks(
  container: DockerContainer,
  described: DescribedContainer,
  request: DockerUpRequest,
  { docker, emit, signal }: DockerUpDeps,
): Promise<void> {
  if (request.skipPostCreate) return;
  const { remoteUser: user } = described.devcontainer;
  const account: Account = await accountInDocker(docker, container, user, { why: 'the remoteUser', signal });
  const markers = await readMarkers(docker, container, { user, account, folder: request.dataFolder, signal });
  const env = environmentInDocker(container, described);
  await runDueHooks(
    {
      described,
      env,
      account: () => account,
      runAs: createRunInDocker({ docker, id: container.id, user, known: env }),
      isDue: markers.isDue,
      onDone: markers.done,
    },
    request,
    { emit, signal },
  );
}

/** Ends a container and deletes it, with the volumes that have no name. @throws AppError START_FAILED */
export async function removeFromDocker(docker: DockerEngine, { id }: DockerContainer): Promise<void> {
  await docker.call(['rm', '--force', '--volumes', id], { doing: 'remove the container' });
}
