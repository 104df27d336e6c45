import type { Manifest, ManifestSettings } from './types.ts';
/** What manifests can be asked for. */
export type PartName = 'secrets' | 'base-images' | 'warmer' | 'warm-now' | 'registry' | 'workspace' | 'network';
/** All of them, in the order in which they are applied. */
export declare const PART_NAMES: readonly PartName[];
/** The objects of some parts, each part once, in the order in which they are applied. */
export declare function manifests(names: readonly PartName[], settings: ManifestSettings): readonly Manifest[];
/** Objects as YAML documents, as `kubectl apply -f -` reads them; the same objects always give the same text. */
export declare function manifestsYaml(objects: readonly Manifest[]): string;
