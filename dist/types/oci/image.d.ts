import type { Descriptor, Image, Platform, Reference, Store } from './types.ts';
/**
 * Resolves a reference to the image for one platform: through an index where there is one, down to the verified config.
 * An image that is not in an index is taken whatever its platform is, as Docker does; compare `config.architecture`.
 * @param store the repository of the reference
 * @throws AppError REFERENCE when nothing is there, or nothing for the platform; CORRUPT; REGISTRY; AUTH
 */
export declare function resolveImage(store: Store, reference: Reference, platform: Platform, signal?: AbortSignal): Promise<Image>;
/** The bytes that a descriptor embeds (OCI image spec, `data`), when they are those that it describes. */
export declare function embeddedData({ data, size, digest }: Descriptor): Buffer | undefined;
