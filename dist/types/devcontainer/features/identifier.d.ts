import { type Where } from '../../core/error.ts';
import type { FeatureId } from './types.ts';
/**
 * What the id of a feature names (Dev Container Features reference, "Referencing a feature"): a repository of a registry,
 * an https tarball, or a folder below the one that devcontainer.json lies in.
 * @throws AppError DEVCONTAINER for what is none of them, and for folders outside
 */
export declare function parseFeatureId(written: string, { configFile, where }: {
    readonly configFile: string;
    readonly where: Where;
}): FeatureId;
/** The folder that local features must lie in: the nearest `.devcontainer`, else that of devcontainer.json. */
export declare function featuresRoot(folder: string): string;
/** The id of a feature as it may be shown: as it is written, without credentials. */
export declare function shownId({ written }: Pick<FeatureId, 'written'>): string;
/** The id of a feature of a registry without its version. */
export declare function resourceOf({ registry, namespace, name }: Extract<FeatureId, {
    type: 'oci';
}>): string;
