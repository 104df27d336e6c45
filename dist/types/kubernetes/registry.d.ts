import type { Manifest, ManifestSettings } from './types.ts';
/** The registry for layers and images, with its volume. */
export declare function registry(settings: ManifestSettings): readonly Manifest[];
