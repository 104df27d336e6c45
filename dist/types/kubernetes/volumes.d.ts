import { type Component } from './common.ts';
import type { ManifestSettings, PersistentVolumeClaim } from './types.ts';
/** The volumes of base images: one to fill, and a read-only copy that any number of nodes can mount. */
export declare function baseImageClaims(settings: ManifestSettings): readonly PersistentVolumeClaim[];
/** The claim that builds read base images from. */
export declare function readableBaseImages({ sharedVolume }: ManifestSettings): string;
/** A claim of one volume. */
export declare function claim(name: string, component: Component, mode: 'ReadWriteOnce' | 'ReadOnlyMany' | 'ReadWriteMany', size: string, settings: ManifestSettings): PersistentVolumeClaim;
