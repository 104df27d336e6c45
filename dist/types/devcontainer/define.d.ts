import type { RegistryAccess } from '../builder/registry-access.ts';
import type { Emit } from '../core/events.ts';
import type { ReadConfig } from './read-config.ts';
import type { BuildDefinition, DefinitionRequest } from './types.ts';
export interface DefinitionDeps {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly registries: Pick<RegistryAccess, 'resolveImage' | 'open' | 'download'>;
}
/** A definition, and what of its features is printed and not used. */
export interface FullDefinition extends BuildDefinition {
    readonly featuresConfiguration?: unknown;
}
/**
 * Works out what to build from a devcontainer.json, and what to do with the result.
 * @throws AppError DEVCONTAINER, DOCKERFILE; REFERENCE, REGISTRY, AUTH from base images and features
 */
export declare function define(request: DefinitionRequest, read: ReadConfig, deps: DefinitionDeps): Promise<FullDefinition>;
/**
 * The features of a devcontainer.json without a look at what they are added to.
 * @throws AppError DEVCONTAINER, REGISTRY, AUTH, CORRUPT
 */
export declare function featuresOf(request: DefinitionRequest, read: ReadConfig, deps: DefinitionDeps): Promise<Pick<FullDefinition, 'featuresConfiguration'>>;
