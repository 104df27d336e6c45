import { type DefinitionDeps } from './define.ts';
import type { BuildDefinition, DefinitionRequest } from './types.ts';
/** Registries are opened by the request's settings, and closed again, unless they are given. */
export type LoadDeps = Omit<DefinitionDeps, 'registries'> & Partial<Pick<DefinitionDeps, 'registries'>>;
/**
 * Finds the devcontainer.json of a workspace, and works out what to build from it and what to do with the result. Base
 * images are asked for their configs; nothing is built.
 * @throws AppError DEVCONTAINER when there is none or it is wrong; REFERENCE, REGISTRY, AUTH, DOCKERFILE from the base
 */
export declare function loadDefinition(request: DefinitionRequest, deps: LoadDeps): Promise<BuildDefinition>;
/** @throws AppError DEVCONTAINER when the workspace has no devcontainer.json */
export declare function configFileOf(request: DefinitionRequest, { emit }: Pick<LoadDeps, 'emit'>): string;
/** Runs `work` with registries, which are closed afterwards unless they were given. */
export declare function withRegistries<T>(request: DefinitionRequest, deps: LoadDeps, work: (registries: DefinitionDeps['registries']) => Promise<T>): Promise<T>;
