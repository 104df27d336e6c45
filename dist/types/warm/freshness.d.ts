import type { Image, Store } from '../oci/types.ts';
import type { WarmRequest } from './types.ts';
/** Whether a cache has an image whole in every layout that is asked for, and fetched it not too long ago. */
export declare function isFresh({ dir, layout, ttlMs }: WarmRequest, oci: Store | undefined, image: Image): Promise<boolean>;
