import type { MetadataEntry } from '../types.ts';
import type { ChosenFeature } from './types.ts';
/** The entry of a feature in the image's metadata; hooks come with the id as it stands in devcontainer.json. */
export declare function metadataEntry({ id, feature: { metadata } }: ChosenFeature): MetadataEntry;
/** Installed features as the reference implementation prints them. */
export declare function featuresConfiguration(order: readonly ChosenFeature[]): unknown;
