import { type Where } from '../../core/error.ts';
import type { FeatureMetadata } from './types.ts';
/** The file in a feature's folder that says what it is. */
export declare const FEATURE_FILE = "devcontainer-feature.json";
/**
 * Reads devcontainer-feature.json; properties that nobody knows are kept, properties that are null count as left out.
 * @param what names the feature in errors
 * @throws AppError DEVCONTAINER when it is not JSON, or a property has a wrong type
 */
export declare function parseMetadata(text: string, what: string, where: Where): FeatureMetadata;
