import type { Manifest, ManifestSettings } from './types.ts';
/** A workspace with its volume: a pod that clones, builds or takes from the cache, and becomes the environment. */
export declare function workspace(settings: ManifestSettings): readonly Manifest[];
