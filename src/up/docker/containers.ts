import * as v from 'valibot';
import { AppError } from '../../core/error.ts';
import type { ContainerConfig } from '../../oci/types.ts';
import type { DockerEngine } from './engine.ts';

/** Labels of a container, by name. */
export type Labels = Readonly<Record<string, string>>;

/** The labels by which the reference implementation and editors find the container of a folder. */
export const FOLDER_LABEL = 'devcontainer.local_folder';
export const FILE_LABEL = 'devcontainer.config_file';
/** Those that we have made have it, with their name. */
export const OWN_LABEL = 'dev.envbuilder.container';

/** A container of an engine. */
export interface DockerContainer {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly running: boolean;
  /** As the engine writes them. */
  readonly created: string;
  readonly started: string;
  readonly labels: Labels;
  /** Its own config: that of its image, with what it was created with. */
  readonly config: ContainerConfig;
  readonly hostname: string;
}

const strings = v.nullish(v.array(v.string()));
const inspected = v.array(
  v.looseObject({
    Id: v.string(),
    Name: v.string(),
    Created: v.string(),
    State: v.looseObject({ Status: v.string(), Running: v.boolean(), StartedAt: v.string() }),
    Config: v.looseObject({
      Hostname: v.nullish(v.string()),
      User: v.nullish(v.string()),
      Env: strings,
      WorkingDir: v.nullish(v.string()),
      Labels: v.nullish(v.record(v.string(), v.string())),
    }),
  }),
);

/**
 * The containers that have all of these labels, those that do not run as well; labels without a value match any.
 * @throws AppError START_FAILED where the engine cannot be asked
 */
export async function findContainers(
  docker: DockerEngine,
  labels: readonly string[],
  signal?: AbortSignal,
): Promise<readonly DockerContainer[]> {
  const filters = labels.map((label) => `--filter=label=${label}`);
  const ids = await docker.call(['ps', '--all', '--quiet', '--no-trunc', ...filters], {
    doing: 'ask Docker for containers',
    ...(signal ? { signal } : {}),
  });
  const all = await Promise.all(
    ids
      .split('\n')
      .filter(Boolean)
      .map((id) => inspect(docker, id)),
  );
  return all.filter((one) => one !== undefined);
}

/** One by its id or name. @throws AppError START_FAILED where there is none */
export async function containerNamed(docker: DockerEngine, name: string): Promise<DockerContainer> {
  const found = await inspect(docker, name);
  if (found) return found;
  throw new AppError('START_FAILED', `Docker has no container ${name}`, {
    hint: 'envbuilder list --docker shows dev containers',
  });
}

/** @returns undefined where it is gone, or just going */
async function inspect(docker: DockerEngine, id: string): Promise<DockerContainer | undefined> {
  let text: string;
  try {
    text = await docker.call(['container', 'inspect', id], { doing: `inspect the container ${id}` });
  } catch (error) {
    if (error instanceof AppError && /no such container/i.test(error.message)) return undefined;
    throw error;
  }
  const read = v.safeParse(inspected, JSON.parse(text));
  if (!read.success || read.output.length !== 1)
    throw new AppError('START_FAILED', `Docker says of the container ${id} what nobody understands`);
  const [{ Id, Name, Created, State, Config }] = read.output as [v.InferOutput<typeof inspected>[number]];
  if (State.Status === 'removing') return undefined;
  const { Hostname, User, Env, WorkingDir, Labels } = Config;
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    status: State.Status,
    running: State.Running,
    created: Created,
    started: State.StartedAt,
    labels: Labels ?? {},
    config: { User: User ?? '', Env: Env ?? [], WorkingDir: WorkingDir ?? '', Labels: Labels ?? {} },
    hostname: Hostname ?? '',
  };
}
