import type { FeatureOptions } from '../types.ts';
/** The full id of a feature that once had a plain name; any other id as it is. */
export declare function currentName(id: string): string;
type Features = Readonly<Record<string, FeatureOptions>>;
/**
 * The features with those that became options of another one turned into these.
 * @param warn called for every id of the time before collections
 */
export declare function updateOldFeatures(features: Features, warn: (id: string, instead: string) => void): Features;
export {};
