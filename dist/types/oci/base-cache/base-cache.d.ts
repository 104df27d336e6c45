import type { Digest } from '../../core/digest.ts';
import type { Reference, Store } from '../types.ts';
/** A directory of base images, to read from. */
export interface BaseCache {
    /** Blobs and manifests by digest, and what a tag meant when it was warmed, by its name in full. */
    readonly store: Store;
    /** The digest that a tag had when it was warmed. */
    tagged(reference: Reference): Promise<Digest | undefined>;
}
/** The name of an image in the index of a cache: in full, with `latest` where there is neither tag nor digest. */
export declare function cacheName(reference: Reference): string;
/**
 * Opens a directory that `envbuilder warm` or the image warmer of kaniko has filled: an OCI layout, the files of kaniko,
 * or both. A directory that is not there is an empty one, since the volume may come later.
 */
export declare function openBaseCache(dir: string): BaseCache;
