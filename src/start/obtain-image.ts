import { join, resolve } from 'node:path';
import { AppError } from '../core/error.ts';
import type { Emit } from '../core/events.ts';
import { makeDirectories } from '../core/make-directories.ts';
import type { ContainerConfig } from '../oci/types.ts';
import type { Workspace } from '../workspace/types.ts';
import { fallbackReason } from './fallback.ts';
import { type BuiltState, readBuilt, readImage, removeBuilt } from './state.ts';
import type { Definition, StartDeps, StartRequest } from './types.ts';

/** The root file system as it is now, and where it comes from. */
export interface ObtainedImage extends BuiltState {
  readonly workspace: Workspace;
  /** Whether it was built or taken from the cache just now. */
  readonly built: boolean;
}

/**
 * Prepares the workspace, and makes the root file system the one to start: it is left as it is in a container of a pushed
 * image, or when an earlier start has built it and that is to be used; otherwise it is built. Where the repository, the
 * definition or the build fails, the fallback image takes their place.
 * @throws AppError of any code
 */
export async function obtainImage<Source>(
  request: StartRequest,
  deps: StartDeps<Source>,
): Promise<ObtainedImage> {
  const { ownDir, skipRebuild } = request;
  const { emit } = deps;
  const { workspace, failure } = await openWorkspace(request, deps);
  const before = readBuilt(ownDir);
  const image = readImage(ownDir);
  if (image) {
    say(emit, 'the container was started from a built image; nothing is built');
    const { devcontainerFile } = image;
    const file = devcontainerFile === undefined ? undefined : resolve(workspace.folder, devcontainerFile);
    const described = await deps.describe(undefined, image.config, file);
    const { containerUser } = described;
    const devcontainer = {
      ...described,
      ...(file === undefined ? {} : { configFile: file }),
      ...(image.ownContainerUser && containerUser ? { ownContainerUser: containerUser } : {}),
    };
    const { config } = image;
    const shell = before?.shell && { shell: before.shell };
    return { config, devcontainer, workspace, built: false, done: before?.done ?? {}, ...shell };
  }
  if (skipRebuild && before) {
    say(emit, 'an earlier start has built this container; nothing is built');
    return { ...before, workspace, built: false };
  }
  const { config, source } = await buildImage(request, deps, workspace, failure);
  return { config, devcontainer: await deps.describe(source, config), workspace, built: true, done: {} };
}

/** A repository that cannot be cloned is fatal only when there is no fallback image. */
async function openWorkspace<Source>(
  { fallbackImage, workspaceFolder: folder }: StartRequest,
  { prepareWorkspace, emit }: StartDeps<Source>,
): Promise<{ readonly workspace: Workspace; readonly failure?: AppError }> {
  try {
    return { workspace: await prepareWorkspace() };
  } catch (error) {
    if (fallbackImage === undefined) throw error;
    const failure = fallbackReason(error, 'workspace');
    warn(emit, failure, 'the start goes on without the repository');
    makeDirectories(folder);
    return { workspace: { folder, state: 'empty' }, failure };
  }
}

interface BuiltImage<Source> {
  readonly config: ContainerConfig;
  readonly source: Source | undefined;
}

async function buildImage<Source>(
  request: StartRequest,
  deps: StartDeps<Source>,
  workspace: Workspace,
  failure: AppError | undefined,
): Promise<BuiltImage<Source>> {
  const { remoteRepoBuild, exitOnBuildFailure, fallbackImage } = request;
  deps.requireRights();
  removeBuilt(request.ownDir);
  const build = async (definition: Definition<Source>): Promise<BuiltImage<Source>> => ({
    config: await deps.build(definition),
    source: definition.devcontainer,
  });
  const useFallback = (reason: AppError): Promise<BuiltImage<Source>> => {
    if (fallbackImage === undefined) throw failure ?? reason;
    warn(deps.emit, reason, `using the fallback image ${fallbackImage}`);
    return build(fallbackDefinition(request.ownDir, fallbackImage));
  };
  const clone = remoteRepoBuild && !failure ? await cloneOrReason(deps) : undefined;
  if (clone instanceof AppError) return useFallback(clone);
  try {
    let definition: Definition<Source>;
    try {
      definition = await deps.define(clone?.folder ?? workspace.folder);
    } catch (error) {
      return await useFallback(fallbackReason(error, 'definition'));
    }
    try {
      return await build(definition);
    } catch (error) {
      if (exitOnBuildFailure) throw error;
      return await useFallback(fallbackReason(error, 'build'));
    }
  } finally {
    clone?.close();
  }
}

async function cloneOrReason<Source>({ cloneForBuild }: StartDeps<Source>) {
  try {
    return await cloneForBuild();
  } catch (error) {
    return fallbackReason(error, 'workspace');
  }
}

/** The fallback image as something to build, in an empty context. It is nobody's image, so it is never pushed. */
function fallbackDefinition(ownDir: string, image: string): Definition<never> {
  const context = join(ownDir, 'empty');
  makeDirectories(context);
  return {
    build: {
      context,
      dockerfile: join(context, 'Dockerfile'),
      dockerfileText: `FROM ${image}\n`,
      contexts: new Map(),
      labels: new Map(),
      buildArgs: new Map(),
      push: false,
    },
  };
}

function say(emit: Emit, text: string): void {
  emit({ type: 'message', level: 'info', text });
}

function warn(emit: Emit, { code, message, hint }: AppError, consequence: string): void {
  emit({ type: 'warning', code, text: `${message}; ${consequence}`, ...(hint ? { hint } : {}) });
}
