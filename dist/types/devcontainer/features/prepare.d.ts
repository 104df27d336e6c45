import type { RegistryAccess } from '../../builder/registry-access.ts';
import type { Emit } from '../../core/events.ts';
import type { FeaturesRequest, FeaturesResult } from './types.ts';
export interface FeaturesDeps {
    readonly emit: Emit;
    readonly signal: AbortSignal;
    readonly registries: Pick<RegistryAccess, 'open' | 'download'>;
}
/**
 * Finds the features of a devcontainer.json and all that they depend on, puts them in order, and adds a stage to the
 * Dockerfile that installs them. Of features in registries only manifests are read, where these say enough.
 * @throws AppError DEVCONTAINER for features that do not exist, are malformed, or depend on each other in a circle;
 * REGISTRY, AUTH, CORRUPT
 */
export declare function prepareFeatures(request: FeaturesRequest, deps: FeaturesDeps): Promise<FeaturesResult>;
