import { type Digest } from '../../core/digest.ts';
import { type Where } from '../../core/error.ts';
import type { Feature, FeatureId } from './types.ts';
export interface TarballDeps {
    /** @throws AppError when there is nothing at the URL, or it is too large */
    readonly download: (url: string) => Promise<Buffer>;
    readonly where: Where;
}
/**
 * A feature behind a URL. It is downloaded to know what it is, and kept in memory until it is installed.
 * @param pin the digest that a lockfile names
 * @throws AppError DEVCONTAINER when it is no feature; CORRUPT when it is not what the lockfile names
 */
export declare function tarballFeature(id: Extract<FeatureId, {
    type: 'tarball';
}>, pin: Digest | undefined, { download, where }: TarballDeps): Promise<Feature>;
