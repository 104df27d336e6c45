import { type RegistryAccess } from '../builder/registry-access.ts';
import type { Emit } from '../core/events.ts';
import type { WarmedImage, WarmRequest } from './types.ts';
export interface WarmDeps {
    readonly registries: Pick<RegistryAccess, 'open'>;
    readonly emit: Emit;
    readonly signal: AbortSignal;
    /** Called as soon as an image is in the cache. */
    readonly onImage: (image: WarmedImage) => void;
}
/**
 * Fetches images into a cache of base images. Readers may use it meanwhile: a file is there whole or not at all. An image
 * that fails does not stop the others.
 * @throws AppError of the first image that failed, after all were tried; OUTPUT when the directory cannot be used
 */
export declare function warmCache(request: WarmRequest, deps: WarmDeps): Promise<void>;
