import { existsSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { AppError } from '../../core/error.ts';
import type { Emit } from '../../core/events.ts';
import {
  type BuildPart,
  type ContainerConfig,
  type Definition,
  type DefinitionRequest,
  type Devcontainer,
  type FileSettings,
  loadContainer,
  readDevcontainer,
  type StartedDevcontainer,
} from '../../index.ts';
import type { Parsed } from '../options/parse.ts';
import type { CommandContext } from '../run-context.ts';
import { definitionOptions } from './definition-options.ts';
import { givenFolder } from './paths.ts';
import { onePlatform } from './platforms.ts';
import { registrySettings } from './registries.ts';
import { userEnvironment } from './user-environment.ts';

/** A dev container, and the folder whose file it was read from. */
export interface Source {
  readonly devcontainer: Devcontainer;
  readonly folder: string;
}

export interface DefinitionDeps extends Pick<CommandContext, 'env' | 'cwd' | 'signal'> {
  /** Where the workspace lies, or will lie. */
  readonly workspace: string;
  /** As of DefinitionRequest. */
  readonly workspaceFixed?: boolean;
  readonly stateDir: string;
  /** As of DefinitionRequest. */
  readonly devcontainerDir?: string;
  /** As of DefinitionRequest. */
  readonly overrideConfig?: string;
  /** Names of secrets that the build is given. */
  readonly secrets?: readonly string[];
  /** As of BuildRequest. */
  readonly allowOutside?: readonly string[];
  readonly emit: Emit;
}

/**
 * What the options and the files of a folder say is to be built: the Dockerfile that is named, else a dev container.
 * @param folder the workspace, or a clone that stands in for it
 * @throws AppError DOCKERFILE or DEVCONTAINER when there is nothing; what loadDefinition throws
 */
export async function defineBuild(
  parsed: Parsed,
  folder: string,
  deps: DefinitionDeps,
): Promise<Definition<Source>> {
  const { build, ...rest } = await defined(parsed, folder, deps);
  const cloned = parsed.options['git-url'] !== undefined;
  return { ...rest, build: { ...build, ...(cloned ? { checkout: folder } : {}) } };
}

async function defined(parsed: Parsed, folder: string, deps: DefinitionDeps): Promise<Definition<Source>> {
  const { options } = parsed;
  const { target } = options;
  if (options['dockerfile-path'] !== undefined) {
    const build = dockerfileBuild(parsed, folder, deps.emit);
    return { build: { ...build, ...(target === undefined ? {} : { target }) } };
  }
  const jsonPath = options['devcontainer-json-path'];
  const name = options['devcontainer-name'];
  const { build, devcontainer } = await readDevcontainer(
    {
      workspaceFolder: folder,
      containerFolder: deps.workspace,
      ...givenFolder(parsed),
      ...(jsonPath === undefined ? {} : { devcontainerJsonPath: jsonPath }),
      ...(name === undefined ? {} : { configuration: name }),
      ...definitionOptions(parsed, deps.cwd),
      env: userEnvironment(deps.env),
      secrets: deps.secrets ?? [],
      workspaceFixed: deps.workspaceFixed ?? false,
      inContainer: true,
      ...(options['fallback-image'] === undefined ? {} : { defaultImage: options['fallback-image'] }),
      ...onePlatform(options, 'a container'),
      ...(target === undefined ? {} : { target }),
      buildArgs: options['build-arg'],
      allowOutside: deps.allowOutside ?? [],
      registries: registrySettings(options, deps.env),
      stateDir: deps.stateDir,
      lockfile: options['devcontainer-lockfile'] as DefinitionRequest['lockfile'],
    },
    { onEvent: deps.emit, signal: deps.signal },
  );
  return { build, devcontainer: { devcontainer, folder } };
}

/**
 * A named Dockerfile and its context, with a warning when the Dockerfile's folder was probably meant as context.
 * @throws AppError DOCKERFILE when there is no such file
 */
export function dockerfileBuild({ options }: Parsed, folder: string, emit: Emit): BuildPart {
  const dockerfile = below(folder, options['dockerfile-path'] ?? 'Dockerfile');
  const inLowerCase = basename(dockerfile) === 'Dockerfile' && join(dirname(dockerfile), 'dockerfile');
  if (!existsSync(dockerfile) && !(inLowerCase && existsSync(inLowerCase))) {
    throw new AppError('DOCKERFILE', `there is no Dockerfile ${dockerfile}`, {
      hint: 'ENVBUILDER_DOCKERFILE_PATH is relative to the workspace',
      where: { path: dockerfile },
    });
  }
  const named = options['build-context-path'];
  const context = named === undefined ? folder : below(folder, named);
  const place = relative(folder, dirname(dockerfile));
  if (place !== '' && named === undefined) {
    emit({
      type: 'warning',
      code: 'USAGE',
      text: `the Dockerfile lies in ${place}, but the build context is the workspace ${folder}`,
      hint: `set ENVBUILDER_BUILD_CONTEXT_PATH=${place} if that is the context`,
    });
  }
  return { context, dockerfile, repository: folder };
}

/** A path that an option names: below the folder, where an absolute one is meant to be as well unless it is there. */
function below(folder: string, path: string): string {
  return isAbsolute(path) && existsSync(path)
    ? path
    : isAbsolute(path)
      ? join(folder, path)
      : resolve(folder, path);
}

/** What the devcontainer.json of a pushed image adds to it; a file that is gone or wrong is a warning, and adds nothing. */
export async function settingsOfFile(
  file: string,
  {
    workspace,
    workspaceFixed = false,
    devcontainerDir,
    env,
    overrideConfig,
    secrets = [],
    allowOutside = [],
    emit,
  }: DefinitionDeps,
): Promise<FileSettings | undefined> {
  const { fileSettings } = await loadContainer();
  try {
    return fileSettings(file, {
      workspaceFolder: workspace,
      workspaceFixed,
      ...(devcontainerDir === undefined ? {} : { devcontainerDir }),
      ...(overrideConfig === undefined ? {} : { overrideConfig }),
      env: userEnvironment(env),
      secrets,
      allowOutside,
    });
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message } = error;
    emit({ type: 'warning', code, text: `${message}; the metadata of the image is used without it` });
    return undefined;
  }
}

/**
 * What a start does with a dev container, once its image is there.
 * @param settings of the file that a pushed image was built from
 */
export async function startedDevcontainer(
  source: Source | undefined,
  config: ContainerConfig,
  { workspace, env, emit }: DefinitionDeps,
  settings?: FileSettings,
): Promise<StartedDevcontainer> {
  const { devcontainerOfImage, linkWorkspace, notPlaced, probeMachine, resolveAfterBuild, warnUngranted } =
    await loadContainer();
  const local = userEnvironment(env);
  const scope = { localWorkspaceFolder: workspace, containerWorkspaceFolder: workspace };
  const describe = (known: Devcontainer | undefined, given: FileSettings | undefined): Devcontainer =>
    known
      ? resolveAfterBuild(known, { config }, local, emit)
      : devcontainerOfImage(
          { config },
          { scope, env: local, emit, ...(given === undefined ? {} : { settings: given }) },
        );
  const wanted = describe(source?.devcontainer, settings);
  const { workspaceLink: link } = wanted;
  const problem = link === undefined ? undefined : linkWorkspace(link, workspace);
  // Its variables are those of the place where the workspace is in the end.
  const devcontainer =
    problem === undefined
      ? wanted
      : describe(
          source && inWorkspace(source.devcontainer, workspace),
          settings && inWorkspace(settings, workspace),
        );
  if (problem !== undefined) {
    const text = notPlaced(wanted.workspaceFolder ?? workspace, problem, workspace);
    emit({ type: 'warning', code: 'DEVCONTAINER', text });
  }
  // Where something was built, the definition has warned already.
  if (!source) warnUngranted(devcontainer.ungranted, { workspace, emit, machine: probeMachine() });
  const { containerEnv, remoteEnv, containerUser, hooks, entrypoints, configFile } = devcontainer;
  const entries = devcontainer.metadata.map(({ entry }) => entry);
  // A user that the image names may come with a group, which the dev container's own default leaves out.
  const isNamed = entries.some(({ remoteUser }) => remoteUser);
  const isOwn = source !== undefined && givesContainerUser(devcontainer);
  const probes = entries.some(({ userEnvProbe }) => userEnvProbe !== undefined);
  const waits = entries.some(({ waitFor }) => waitFor !== undefined);
  return {
    ...(configFile === undefined || !source
      ? {}
      : { configFile: join(workspace, relative(source.folder, configFile)) }),
    containerEnv,
    remoteEnv,
    envOrigins: envOrigins(devcontainer),
    containerUser,
    ...(isOwn ? { ownContainerUser: containerUser } : {}),
    ...(isNamed ? { remoteUser: devcontainer.remoteUser } : {}),
    ...(probes ? { userEnvProbe: devcontainer.userEnvProbe } : {}),
    ...(waits ? { waitFor: devcontainer.waitFor } : {}),
    hooks,
    entrypoints,
    ...(devcontainer.workspaceFolder === undefined ? {} : { workspaceFolder: devcontainer.workspaceFolder }),
    ...(devcontainer.workspaceLink === undefined ? {} : { workspaceLink: devcontainer.workspaceLink }),
  };
}

/** The same with the workspace where it lies. */
function inWorkspace<T extends Pick<Devcontainer, 'scope' | 'workspaceLink'>>(
  known: T,
  workspace: string,
): T {
  const { workspaceLink: _, ...rest } = known;
  const scope = { ...known.scope, containerWorkspaceFolder: workspace };
  return { ...rest, ...('workspaceFolder' in known ? { workspaceFolder: workspace } : {}), scope } as T;
}

/** Whether devcontainer.json itself says who the user of the container is; what image and features say is not its own. */
export function givesContainerUser({ metadata, configFile }: Devcontainer): boolean {
  return metadata.some(({ origin, entry }) => origin === configFile && Boolean(entry.containerUser));
}

/** Which metadata the last value of each variable comes from. */
function envOrigins({ metadata }: Devcontainer): Readonly<Record<string, string>> {
  return Object.fromEntries(
    metadata.flatMap(({ origin, entry }) =>
      (['containerEnv', 'remoteEnv'] as const).flatMap((property) =>
        Object.keys(entry[property] ?? {}).map((name) => [`${property}.${name}`, origin]),
      ),
    ),
  );
}
