import { join } from 'node:path';
import { imageKey, openRegistries } from '../builder/registry-access.ts';
import type { ResolvedImage } from '../builder/types.ts';
import { AppError } from '../core/error.ts';
import { devcontainerFolder } from './base-folder.ts';
import { type DefinitionDeps, define } from './define.ts';
import { findConfigFile } from './discover.ts';
import { readConfig } from './read-config.ts';
import type { BuildDefinition, DefinitionRequest } from './types.ts';

/** Registries are opened by the request's settings, and closed again, unless they are given. */
export type LoadDeps = Omit<DefinitionDeps, 'registries'> & Partial<Pick<DefinitionDeps, 'registries'>>;

/**
 * Finds the devcontainer.json of a workspace, and works out what to build from it and what to do with the result. Base
 * images are asked for their configs; nothing is built.
 * @throws AppError DEVCONTAINER when there is none or it is wrong; REFERENCE, REGISTRY, AUTH, DOCKERFILE from the base
 */
export async function loadDefinition(request: DefinitionRequest, deps: LoadDeps): Promise<BuildDefinition> {
  const file = configFileOf(request, deps);
  const read = readConfig(file, request, deps.emit);
  return withRegistries(request, deps, async (registries) => {
    const images = new Map<string, ResolvedImage>();
    const remembering: DefinitionDeps['registries'] = {
      ...registries,
      resolveImage: async (name, platform, signal) => {
        const { store, ...image } = await registries.resolveImage(name, platform, signal);
        images.set(imageKey(name, platform), image);
        return { ...image, store };
      },
    };
    const { build, devcontainer } = await define(request, read, { ...deps, registries: remembering });
    // A directory of base images decides for itself where each layer comes from.
    const resolved = request.registries.baseImages === undefined ? { resolvedImages: images } : {};
    return { build: { ...build, ...resolved }, devcontainer };
  });
}

/** @throws AppError DEVCONTAINER when the workspace has no devcontainer.json, and none is given in its place */
export function configFileOf(request: DefinitionRequest, { emit }: Pick<LoadDeps, 'emit'>): string {
  const file = findConfigFile(request, emit);
  if (file !== undefined) return file;
  if (request.overrideConfig !== undefined) return join(devcontainerFolder(request), 'devcontainer.json');
  throw new AppError('DEVCONTAINER', `there is no devcontainer.json in ${request.workspaceFolder}`, {
    hint: 'add .devcontainer/devcontainer.json, or name a Dockerfile with --dockerfile-path (ENVBUILDER_DOCKERFILE_PATH)',
  });
}

/** Runs `work` with registries, which are closed afterwards unless they were given. */
export async function withRegistries<T>(
  request: DefinitionRequest,
  deps: LoadDeps,
  work: (registries: DefinitionDeps['registries']) => Promise<T>,
): Promise<T> {
  if (deps.registries) return work(deps.registries);
  const registries = openRegistries(request.registries, deps);
  try {
    return await work(registries);
  } finally {
    await registries.close();
  }
}
