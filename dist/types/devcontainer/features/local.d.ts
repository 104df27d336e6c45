import { type Where } from '../../core/error.ts';
import type { Feature, FeatureId } from './types.ts';
/**
 * A feature in a folder beside devcontainer.json. Modes do not count, since its files are made executable anyway.
 * @throws AppError DEVCONTAINER when the folder is none of a feature, a link leads out of it, or it holds what is no file,
 * directory or link, or more than a feature may
 */
export declare function localFeature({ written, path }: Extract<FeatureId, {
    type: 'local';
}>, { configFolder, where }: {
    readonly configFolder: string;
    readonly where: Where;
}): Promise<Feature>;
