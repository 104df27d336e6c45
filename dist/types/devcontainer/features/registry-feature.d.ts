import type { RegistryAccess } from '../../builder/registry-access.ts';
import { type Digest } from '../../core/digest.ts';
import { type Where } from '../../core/error.ts';
import type { Feature, FeatureId } from './types.ts';
export interface RegistryFeatureDeps {
    readonly registries: Pick<RegistryAccess, 'open'>;
    readonly signal: AbortSignal;
    readonly where: Where;
}
/**
 * A feature in a registry. Where its manifest holds the metadata nothing else is downloaded before the files are needed.
 * @param pin the digest of the manifest that a lockfile names
 * @throws AppError DEVCONTAINER when there is none or it is no feature; REGISTRY, AUTH, CORRUPT
 */
export declare function registryFeature(id: Extract<FeatureId, {
    type: 'oci';
}>, pin: Digest | undefined, { registries, signal, where }: RegistryFeatureDeps): Promise<Feature>;
